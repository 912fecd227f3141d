package shop

price(count) := count * 3

total := price(2)

open if time.now_ns() > 100

clash := 1 if input.left

clash := 2 if input.right

parsed(text) := time.parse_rfc3339_ns(text)
