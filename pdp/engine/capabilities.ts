import { builtins } from './builtins.ts'

type Declared = {
  readonly name: string
  readonly nondeterministic?: boolean
  readonly [field: string]: unknown
}

/** What `opa capabilities --current` prints, and `opa build --capabilities` reads. */
export type OpaCapabilities = {
  readonly builtins: readonly Declared[]
  readonly [field: string]: unknown
}

/**
 * The capabilities of OPA cut down to what a gate can run: what OPA compiles into WASM itself, and what the host
 * provides. `opa build` then refuses every other builtin by name, with file and line.
 */
export function capabilities(current: OpaCapabilities): OpaCapabilities {
  return { ...current, builtins: current.builtins.filter(({ name }) => runs(name)) }
}

function runs(name: string): boolean {
  return native.has(name) || Object.hasOwn(builtins, name) || erased.has(name)
}

/** Rewritten or erased by the compiler before there is any WASM. */
const erased: ReadonlySet<string> = new Set([
  'assign',
  'eq',
  'print',
  'internal.print',
  'internal.test_case',
  'rego.metadata.chain',
  'rego.metadata.rule',
])

/** Compiled into the module by OPA 1.19 (internal/compiler/wasm/wasm.go), without what OPA deprecated. */
const native: ReadonlySet<string> = new Set(
  `abs and array.concat array.flatten array.reverse array.slice base64.decode base64.encode base64.is_valid
  base64url.decode base64url.encode bits.and bits.lsh bits.negate bits.or bits.rsh bits.xor ceil concat contains count
  div endswith equal floor format_int glob.match graph.reachable gt gte indexof internal.member_2 internal.member_3
  internal.template_string intersection is_array is_boolean is_null is_number is_object is_set is_string json.filter
  json.is_valid json.marshal json.remove json.unmarshal lower lt lte max min minus mul neq net.cidr_contains
  net.cidr_intersects numbers.range object.filter object.get object.keys object.remove object.union object.union_n or
  plus product regex.find_all_string_submatch_n regex.is_valid regex.match rem replace round sort split startswith
  strings.replace_n strings.reverse substring sum to_number trim trim_left trim_prefix trim_right trim_space trim_suffix
  type_name union upper walk`.split(/\s+/),
)
