package tests.readers

import data.examples
import data.postern

decide(subject, action) := decision if {
	decision := postern.decision with input as examples.asks(subject, action)
}

test_readers_connect if decide(examples.alice, examples.connect).effect == "allow"

test_others_do_not_connect if {
	decision := decide(examples.stranger, examples.connect)
	decision.effect == "deny"
	examples.code(decision) == "no_matching_allow"
}

test_readers_begin if decide(examples.alice, examples.session("begin", [])).effect == "allow"

test_readers_change_no_settings if decide(examples.alice, examples.session("set", [])).effect == "deny"

test_readers_read_what_is_listed if decide(examples.alice, examples.read_orders).effect == "allow"

test_nobody_reads_what_is_not_listed if {
	secrets := examples.select([examples.table("public.secrets", "read", ["value"])])
	decide(examples.alice, secrets).effect == "deny"
}

test_reading_beside_what_is_not_listed_is_denied if {
	tables := [examples.table("public.orders", "read", ["id"]), examples.table("public.secrets", "read", ["value"])]
	decide(examples.alice, examples.select(tables)).effect == "deny"
}

test_readers_change_nothing if decide(examples.alice, examples.delete_order).effect == "deny"

test_others_read_nothing if decide(examples.stranger, examples.read_orders).effect == "deny"
