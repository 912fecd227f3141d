# METADATA
# title: The time
# description: >-
#   For policies. A decision that asks for the time cannot be remembered by the gate: ask last, after everything else matched.
# scope: package
# schemas:
#   - input: schema.input
package postern.clock

# Whether it is one of `days` and the hour is in [from, to), in the time zone `zone`.
within(hours) if {
	now := [time.now_ns(), hours.zone]
	time.weekday(now) in hours.days
	hour := time.clock(now)[0]
	hour >= hours.from
	hour < hours.to
}
