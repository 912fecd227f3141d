import { instantiate, pagesOf, textAt } from '../pdp/engine/instance.ts'
import { webAssembly } from '../pdp/engine/webassembly.ts'

/** Names of the builtins that a compiled policy expects from its host, sorted. Throws when it is no policy module. */
export async function neededBuiltins(wasm: Buffer): Promise<string[]> {
  const module = await webAssembly.compile(new Uint8Array(wasm)).catch(() => {
    throw new Error('policy.wasm is not a WebAssembly module')
  })
  const { exports, memory } = instantiate(module, pagesOf(wasm), () => 0)
  const table: unknown = JSON.parse(textAt(memory, exports.opa_json_dump(exports.builtins())))
  return Object.keys(Object(table)).sort()
}
