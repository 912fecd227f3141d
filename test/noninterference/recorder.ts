/** The product's sidecar, which keeps what it made of the latest texts. */
import type { Command } from '../../pdp/contract.ts'
import { toRun } from '../../sidecars/postgres/outgoing.ts'
import { speaking } from '../../sidecars/postgres/speaking.ts'
import { ready } from '../../sidecars/postgres/statement.ts'
import { template } from '../../sidecars/postgres/template.ts'
import type { Sidecar } from '../../sidecars/sidecar.ts'

const keptMax = 5_000

/** One to listen with, and how to ask it. */
export function recorder(): {
  readonly sidecar: Sidecar
  read(text: string): Command | undefined
} {
  const known = new Map<string, Command>()
  // What differs in plain values only is read once.
  const key = (text: string): string => template(text)?.key ?? text
  return {
    sidecar: speaking((text, scope, prepared) => {
      const statements = toRun(text, scope, prepared)
      const [first] = statements
      if (known.size >= keptMax) known.clear()
      if (first !== undefined) known.set(key(text), first.command)
      return statements
    }, ready),
    read: (text) => known.get(key(text)),
  }
}
