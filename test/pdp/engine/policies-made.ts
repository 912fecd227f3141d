/** Random policies: rules made of everything the language has that is the same in OPA and in its WASM. */
type Dice = () => number

/** A policy whose decision lists what each of so many random rules found. */
export function madePolicy(dice: Dice, rules: number): string {
  const made = Array.from({ length: rules }, (_, index) => rule(dice, `r${index}`))
  return `package postern

held(value) := value

facts := {name: value | some name, value in data.postern.found}

${made.join('\n\n')}

decision := {
	"effect": "allow",
	"reasons": [{"rule": "policies.made", "code": "made", "message": "by chance"}],
	"masks": [],
	"limits": [],
	"quotas": [],
	"obligations": [{"name": "facts", "args": facts}],
}
`
}

/** A command for such policies. */
export function madeAction(dice: Dice): Record<string, unknown> {
  const list = () => Array.from({ length: dice() * 6 }, () => pick(dice, leaves))
  return {
    a: pick(dice, leaves),
    b: pick(dice, leaves),
    n: pick(dice, [0, 1, -1, 2.5, 1e6, 7]),
    s: pick(dice, ['', 'abc', 'a,b', 'Größe', '\u{1F600}x', 'a.b.c']),
    list: list(),
    object: { x: pick(dice, leaves), y: list(), 'z z': { deep: pick(dice, leaves) } },
    ...(dice() < 0.5 ? { maybe: pick(dice, leaves) } : {}),
  }
}

const leaves: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -3,
  2.5,
  'abc',
  '',
  'x',
  [],
  [1, 'x'],
  {},
]

function rule(dice: Dice, name: string): string {
  const value = expression(dice, 3)
  const conditions = Array.from({ length: dice() * 3 }, () => condition(dice))
  const body = [...conditions, `value := ${value}`].map((line) => `\t${line}`).join('\n')
  return `found[${JSON.stringify(name)}] := value if {\n${body}\n}`
}

function condition(dice: Dice): string {
  // Through a function a value has no type at compile time, so that any two may be compared.
  const [a, b] = [`held(${expression(dice, 1)})`, `held(${expression(dice, 1)})`]
  return pick(dice, [
    `${a} == ${b}`,
    `${a} != ${b}`,
    `not ${a}`,
    `${a} < ${b}`,
    `is_string(${a})`,
    `some _ in ${sequence(dice)}`,
    `every item in ${sequence(dice)} { item != ${a} }`,
    `type_name(${a}) != "null"`,
  ])
}

function expression(dice: Dice, depth: number): string {
  if (depth === 0 || dice() < 0.3) return leaf(dice)
  const [a, b] = [expression(dice, depth - 1), expression(dice, depth - 1)]
  const [s, t, many] = [text(dice), text(dice), sequence(dice)]
  return pick(dice, [
    `[${a}, ${b}]`,
    `{"k": ${a}, "l": ${b}}`,
    `[item | some item in ${many}; item != held(${a})]`,
    `sort({item | some item in ${many}})`,
    `{json.marshal(item): 1 | some item in ${many}}`,
    `count(${many})`,
    `sum([item | some item in ${many}; is_number(item)])`,
    `max([0 | true])`,
    `upper(${s})`,
    `concat("-", [${s}, ${t}])`,
    `split(${s}, ",")`,
    `replace(${s}, "a", ${t})`,
    `substring(${s}, 1, 2)`,
    `indexof(${s}, "b")`,
    `trim(${s}, "ax")`,
    `startswith(${s}, ${t})`,
    `contains(${s}, "b")`,
    `regex.match("^[a-z]+$", ${s})`,
    `glob.match("a*", ["."], ${s})`,
    // As text an object has its members in another order in WASM.
    `json.unmarshal(json.marshal(${a}))`,
    `object.get(input.action.object, ["z z", "deep"], ${a})`,
    `object.union(input.action.object, {"x": ${a}})`,
    `json.remove(input.action.object, ["x", "y/0"])`,
    `json.filter(input.action.object, ["z z/deep"])`,
    `array.concat(${many}, [${a}])`,
    `array.slice(${many}, 1, 3)`,
    `count([path | walk(input.action.object, [path, _])])`,
    `[1, 2, 3][input.action.n]`,
    `input.action.n + ${number(dice)}`,
    `input.action.n * ${number(dice)}`,
    // Not by a count, which may be zero: 0 / 0 is undefined in OPA and the end of its WASM.
    `input.action.n / 4`,
    `round(input.action.n)`,
    `to_number("12.5")`,
    `format_int(input.action.n, 10)`,
    `semver.compare("1.2.3", "1.10.0")`,
    `crypto.sha256(${s})`,
    `strings.reverse(${s})`,
    `base64.encode(${s})`,
    `net.cidr_contains("10.0.0.0/8", "10.1.2.3")`,
    `numbers.range(1, 4)`,
    `urlquery.encode(${s})`,
    `regex.replace(${s}, "[ab]", "<$0>")`,
    `strings.count(${s}, "a")`,
    `json.patch({"a": 1}, [{"op": "add", "path": "/b", "value": ${a}}])`,
  ])
}

function leaf(dice: Dice): string {
  const places = ['a', 'b', 'n', 's', 'list', 'maybe', 'object.x', 'object["z z"].deep', 'list[0]']
  return dice() < 0.7
    ? `input.action.${pick(dice, places)}`
    : pick(dice, ['1', '"x"', 'true', 'false', 'null', '[]', '{}', '-2.5'])
}

function text(dice: Dice): string {
  return pick(dice, ['input.action.s', 'json.marshal(input.action.a)', '"abc"', 'input.subject.id'])
}

function sequence(dice: Dice): string {
  return pick(dice, [
    'input.action.list',
    'input.action.object.y',
    '[1, "x", null]',
    'numbers.range(0, 2)',
  ])
}

function number(dice: Dice): string {
  return pick(dice, ['1', '2', '-3', '0.5', '10', 'count(input.action.list)'])
}

function pick<T>(dice: Dice, from: readonly T[]): T {
  return from[Math.floor(dice() * from.length)] as T
}
