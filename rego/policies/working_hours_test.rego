package tests.working_hours

import data.examples
import data.postern

at(text, subject, action) := decision if {
	decision := postern.decision with input as examples.asks(subject, action)
		with time.now_ns as time.parse_rfc3339_ns(text)
}

noon := "2027-03-31T12:00:00+02:00"

night := "2027-03-31T23:00:00+02:00"

sunday := "2027-04-04T12:00:00+02:00"

payment := examples.change("update", "write", "public.payments")

test_payments_change_at_noon if at(noon, examples.alice, payment).effect == "hold"

test_payments_do_not_change_at_night_or_on_sunday if {
	every text in [night, sunday] {
		decision := at(text, examples.alice, payment)
		decision.effect == "deny"
		examples.code(decision) == "outside_working_hours"
	}
}

test_whoever_is_on_call_changes_payments_at_night if at(night, examples.carol, payment).effect == "hold"

test_an_emergency_knows_no_hours if at(night, examples.erin, payment).effect == "allow"

test_orders_change_at_any_time if at(night, examples.alice, examples.delete_order).effect == "hold"

test_payments_are_read_at_any_time if {
	at(night, examples.alice, examples.select([examples.table("public.payments", "read", ["amount"])])).effect == "allow"
}
