package postern.clock_test

import data.postern.clock

hours := {"zone": "Europe/Berlin", "days": ["Wednesday"], "from": 8, "to": 18}

at(text) := time.parse_rfc3339_ns(text)

test_noon_is_within if clock.within(hours) with time.now_ns as at("2027-03-31T12:00:00+02:00")

test_the_first_hour_is_within_and_the_last_is_not if {
	clock.within(hours) with time.now_ns as at("2027-03-31T08:00:00+02:00")
	not clock.within(hours) with time.now_ns as at("2027-03-31T07:59:59+02:00")
	clock.within(hours) with time.now_ns as at("2027-03-31T17:59:59+02:00")
	not clock.within(hours) with time.now_ns as at("2027-03-31T18:00:00+02:00")
}

test_another_day_is_not_within if not clock.within(hours) with time.now_ns as at("2027-04-01T12:00:00+02:00")

test_the_zone_counts if not clock.within(hours) with time.now_ns as at("2027-03-31T17:00:00Z")

test_hours_without_a_zone_are_never_within if {
	not clock.within(object.remove(hours, ["zone"])) with time.now_ns as at("2027-03-31T12:00:00+02:00")
}
