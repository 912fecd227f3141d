import { errorCode, Failure } from '../io.ts'
import type { Address } from '../settings.ts'

/** Opens something on an address. Throws Failure with one sentence when the address cannot be had. */
export async function bound<Open>(
  what: string,
  { host, port }: Address,
  open: () => Promise<Open>,
): Promise<Open> {
  return open().catch((error: unknown) => {
    const code = errorCode(error)
    if (code === undefined) throw error
    const why = code === 'EADDRINUSE' ? 'something else listens there' : code
    throw new Failure(`${what} cannot listen on ${host}:${port}: ${why}`)
  })
}
