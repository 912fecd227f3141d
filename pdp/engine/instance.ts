/** One running copy of a policy module, its memory, and what it needs from outside. */
import { type Global, type Memory, type Module, webAssembly } from './webassembly.ts'

const pageBytes = 65_536
/** Linear memory never grows past 256 MiB; a policy that wants more aborts and is replaced. */
const pagesMax = 4096
/** Stack and zeroed statics of OPA's runtime, which the file itself does not show. */
const pagesBeyondFile = 8

const names = [
  'opa_malloc',
  'opa_heap_ptr_get',
  'opa_heap_ptr_set',
  'opa_json_parse',
  'opa_json_dump',
  'opa_value_parse',
  'opa_value_dump',
  'opa_eval_ctx_new',
  'opa_eval_ctx_set_input',
  'opa_eval_ctx_set_data',
  'opa_eval_ctx_set_entrypoint',
  'opa_eval_ctx_get_result',
  'eval',
  'builtins',
  'entrypoints',
] as const

/** The functions of OPA's WASM ABI that the host calls; addresses are numbers. */
export type Exports = Readonly<Record<(typeof names)[number], (...args: number[]) => number>>

export type Instance = {
  readonly exports: Exports
  readonly memory: Memory
}

/** Answers a builtin call from inside: addresses of arguments in, address of the result out, 0 for undefined. */
export type Dispatch = (builtin: number, args: readonly number[]) => number

/** Pages a new memory needs to hold the module's own data. */
export function pagesOf(wasm: Uint8Array): number {
  return Math.ceil(wasm.byteLength / pageBytes) + pagesBeyondFile
}

/** Starts a copy of the module with at least `pages` of memory. Throws where it is not a policy of ABI 1. */
export function instantiate(module: Module, pages: number, call: Dispatch): Instance {
  const memory = new webAssembly.Memory({ initial: pages, maximum: pagesMax })
  const env = {
    memory,
    opa_abort: (address: number): never => {
      throw new Error(`the policy aborted: ${textAt(memory, address)}`)
    },
    opa_println: (): void => undefined,
    opa_builtin0: (id: number) => call(id, []),
    opa_builtin1: (id: number, _: number, a: number) => call(id, [a]),
    opa_builtin2: (id: number, _: number, a: number, b: number) => call(id, [a, b]),
    opa_builtin3: (id: number, _: number, a: number, b: number, c: number) => call(id, [a, b, c]),
    opa_builtin4: (id: number, _: number, a: number, b: number, c: number, d: number) =>
      call(id, [a, b, c, d]),
  }
  const { exports } = new webAssembly.Instance(module, { env })
  return { memory, exports: checked(exports) }
}

/** Reads the NUL-terminated text at an address. */
export function textAt(memory: Memory, address: number): string {
  const bytes = Buffer.from(memory.buffer)
  const end = bytes.indexOf(0, address)
  return bytes.toString('utf8', address, end < 0 ? bytes.length : end)
}

/** Copies text into the instance; the copy lives until the heap is reset. */
export function store(instance: Instance, text: string): { address: number; length: number } {
  const bytes = Buffer.from(text, 'utf8')
  const address = instance.exports.opa_malloc(Math.max(bytes.length, 1))
  bytes.copy(Buffer.from(instance.memory.buffer), address)
  return { address, length: bytes.length }
}

/** A fresh instance whose memory starts as the given snapshot of a whole memory. */
export function revive(module: Module, snapshot: Uint8Array, call: Dispatch): Instance {
  const instance = instantiate(module, snapshot.length / pageBytes, call)
  new Uint8Array(instance.memory.buffer).set(snapshot)
  return instance
}

function checked(found: object): Exports {
  const exports = found as Readonly<Record<string, unknown>>
  const abi = (exports['opa_wasm_abi_version'] as Global | undefined)?.value
  if (abi !== 1) throw new Error(`the module speaks ABI ${abi ?? 'unknown'}, this gate speaks 1`)
  const missing = names.filter((name) => typeof exports[name] !== 'function')
  if (missing.length > 0)
    throw new Error(`the module lacks ${missing.join(', ')}; build it with the pinned OPA`)
  return exports as unknown as Exports
}
