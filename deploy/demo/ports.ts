import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports that clients are given by themselves, so that none of those takes it before it is used. */
const lowest = 10_000
const highest = 32_000
const triesMax = 50

/** The wanted port of 127.0.0.1, or any other that is free when it is taken. */
export async function freePort(wanted?: number): Promise<number> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    const port = tries === 0 && wanted !== undefined ? wanted : randomInt(lowest, highest)
    if (await isFree(port)) return port
  }
  throw new Error('no free port on 127.0.0.1')
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer()
  const listens = once(probe, 'listening').then(
    () => true,
    () => false,
  )
  probe.listen(port, '127.0.0.1')
  if (!(await listens)) return false
  await new Promise((resolve) => probe.close(resolve))
  return true
}
