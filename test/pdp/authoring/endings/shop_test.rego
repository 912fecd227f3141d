package tests["of the shop"]

import data.shop

test_passes if shop.total == 6

test_fails if shop.total == 7

test_a_builtin_is_mocked if not shop.open with time.now_ns as 5

test_a_function_is_mocked if shop.total == 9 with shop.price as 9

test_errs if shop.clash with input as {"left": true, "right": true}

todo_test_later if false

test_twice if shop.total == 6

test_twice if shop.total == 7

test_needs_what_gates_lack if http.send({"url": "x"}).a == 8

test_mocks_what_gates_lack if http.send({"url": "x"}).a == 7 with http.send as {"a": 7}

test_is_false := false

test_is_no_boolean := 5

test_cases[name] if {
	some name, one in {"even": {"count": 2, "price": 6}, "odd": {"count": 3, "price": 8}}
	shop.price(one.count) == one.price
}

test_has_no_input if not input

test_prints if {
	print("the total is", shop.total)
	shop.total == 7
}

inner["test_below"] if 1 == 1

test_divides_by_nothing if 1 / 0 == 1

test_rests_on_a_failing_builtin if not shop.parsed("nonsense")
