import { once } from 'node:events'
import type { Log } from '../log.ts'

/** Puts on the log what nobody caught, without its message, and ends the process: its state cannot be trusted. */
export function endOnCrash(journal: Log): void {
  process.once('uncaughtException', (error) => {
    journal.error('gate crashed', {}, error)
    process.exit(1)
  })
}

const signals = ['SIGTERM', 'SIGINT'] as const
const impatient = 130

/** Resolves at the first signal to stop; the second ends the process at once. */
export async function toldToStop(): Promise<string> {
  const told = await Promise.race(
    signals.map(async (signal) => {
      await once(process, signal)
      return signal
    }),
  )
  for (const signal of signals) process.on(signal, () => process.exit(impatient))
  return told
}
