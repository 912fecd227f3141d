import { once } from 'node:events'
import { createServer } from 'node:net'

/** The wanted port, or any free one when it is taken. */
export async function freePort(wanted = 0): Promise<number> {
  for (const port of [wanted, 0]) {
    const probe = createServer()
    const free = once(probe, 'listening').then(
      () => true,
      () => false,
    )
    probe.listen(port, '127.0.0.1')
    if (!(await free)) continue
    const address = probe.address()
    await new Promise((resolve) => probe.close(resolve))
    if (address !== null && typeof address === 'object') return address.port
  }
  throw new Error('no free port on 127.0.0.1')
}
