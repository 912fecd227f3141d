package postern.members_test

import data.postern.members

test_a_set_is_spread_as_it_is if members.spread({"a", {"b": 1}}) == {"a", {"b": 1}}

test_anything_else_counts_by_what_it_holds if {
	members.spread(["a"]) == ["a"]
	members.spread({"code": "x"}) == ["x"]
	members.spread(true) == [true]
	members.spread("x") == ["x"]
	members.spread([]) == []
}

test_text_falls_back_whatever_the_member_is if {
	members.text({"code": "x"}, "code", "y") == "x"
	every member in [{}, {"code": ""}, {"code": 7}, "code", 7, null, ["code"]] {
		members.text(member, "code", "y") == "y"
	}
}

test_a_count_is_whole_and_large_enough if {
	members.whole(1, 1)
	members.whole(9007199254740991, 0)
	every value in [0, -1, 1.5, 9007199254740992, 1e300, "1", null, true] {
		not members.whole(value, 1)
	}
}
