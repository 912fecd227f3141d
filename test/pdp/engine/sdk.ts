/** The npm SDK as an oracle, with our builtins where it has none of its own. */
import { createRequire } from 'node:module'
import { builtins } from '../../../pdp/engine/builtins.ts'
import { plain } from '../../../pdp/engine/text.ts'
import type { Value } from '../../../pdp/engine/value.ts'
import type { PolicyBundle } from '../../../pdp/parts.ts'

export type Sdk = { evaluate(input: unknown): readonly { readonly result: unknown }[] }

type Loader = {
  loadPolicySync(
    wasm: Buffer,
    memory: { readonly initial: number },
    custom: Readonly<Record<string, (...args: Value[]) => unknown>>,
  ): Sdk & { setData(data: unknown): void }
}

/** Loads a bundle into the SDK; its clock stands still. */
export function sdkOf({ wasm, data }: PolicyBundle, nowNs = 0n): Sdk {
  const loader = createRequire(import.meta.url)('@open-policy-agent/opa-wasm') as Loader
  // It speaks JSON only.
  const custom = Object.entries(builtins).map(([name, { call }]) => [
    name,
    (...args: Value[]) => plain(call(args, { nowNs }) ?? null),
  ])
  const sdk = loader.loadPolicySync(wasm, { initial: 64 }, Object.fromEntries(custom))
  sdk.setData(data)
  return sdk
}
