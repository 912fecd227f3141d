import { exits, type Io } from './io.ts'
import { printable } from './printable.ts'

/** One thing to look at before serving: answers what is fine about it, or throws what is wrong. */
export type Check = {
  readonly about: string
  run(): string | Promise<string>
}

/** Runs every check, whatever becomes of the others, and prints one line for each; fails when any did. */
export async function checklist(checks: readonly Check[], io: Io): Promise<number> {
  const results = await Promise.all(checks.map(result))
  const width = Math.max(...checks.map(({ about }) => about.length))
  for (const { about, fine, text } of results) {
    const word = fine ? 'ok     ' : 'problem'
    io.stdout(`${word}  ${about.padEnd(width)}  ${printable(text)}\n`)
  }
  const problems = results.filter(({ fine }) => !fine).length
  if (problems === 0) return exits.done
  io.stderr(`postern check: ${problems} ${problems === 1 ? 'problem' : 'problems'} found\n`)
  return exits.failed
}

type Result = { readonly about: string; readonly fine: boolean; readonly text: string }

async function result({ about, run }: Check): Promise<Result> {
  try {
    return { about, fine: true, text: await run() }
  } catch (error) {
    return { about, fine: false, text: error instanceof Error ? error.message : String(error) }
  }
}
