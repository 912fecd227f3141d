import { once } from 'node:events'

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
