import { Malformed, Refusal } from '../../pdp/refusal.ts'
import type { Channel, Door } from '../sidecar.ts'
import { asServer } from '../tls.ts'
import { alpn } from './dial.ts'
import { int32, length, message, startupLength, text } from './frames.ts'
import { type Startup, startup, startupBytesMax } from './startup.ts'

/** What a client wants once its connection is as private as it will get. */
export type Arrival =
  | { readonly kind: 'startup'; readonly startup: Startup; readonly tls: boolean }
  | { readonly kind: 'cancel'; readonly key: Buffer }

const sslRequest = 80877103
const gssRequest = 80877104
const cancelRequest = 80877102
const cancelBytesMax = 300
const accepted = Buffer.from('S')
const declined = Buffer.from('N')
/** SSLRequest, GSSENCRequest and what follows: nobody honest needs more. */
const requestsMax = 4

/** Speaks to a client up to its StartupMessage: TLS either way, no GSS encryption. Undefined when it left. */
export async function front(client: Channel, { tls }: Door): Promise<Arrival | undefined> {
  let encrypted = (await client.peek()) === 0x16
  if (encrypted) await direct(client, tls)
  for (let count = 0; count < requestsMax; count += 1) {
    const frame = await client.read({ length: startupLength, bytesMax: startupBytesMax })
    if (frame === undefined) return undefined
    if (frame.length < 8) throw new Malformed('the first message is too short')
    const request = frame.readUInt32BE(4)
    if (request === gssRequest) client.write(declined)
    else if (request === sslRequest) encrypted = await asked(client, tls, frame, encrypted)
    else return arrival(frame, request, tls === undefined, encrypted)
  }
  throw new Malformed('the client negotiates without end')
}

async function asked(
  client: Channel,
  tls: Door['tls'],
  frame: Buffer,
  encrypted: boolean,
): Promise<boolean> {
  if (encrypted || frame.length !== 8) throw new Malformed('TLS was asked for out of turn')
  client.write(tls === undefined ? declined : accepted)
  if (tls === undefined) return false
  await client.secure(asServer(tls, alpn))
  return true
}

/** Cancelling works in clear text, as libpq does it; everything else in clear is refused before it is believed. */
function arrival(frame: Buffer, request: number, plain: boolean, tls: boolean): Arrival {
  if (request === cancelRequest) {
    if (frame.length > cancelBytesMax) throw new Malformed('a cancel key is too long')
    return { kind: 'cancel', key: frame.subarray(8) }
  }
  if (!plain && !tls) throw withoutTls()
  return { kind: 'startup', startup: startup(frame), tls }
}

/** Direct TLS (PostgreSQL 55.2.10): the protocol must be named by ALPN, so that no other one can be tricked into it. */
async function direct(client: Channel, tls: Door['tls']): Promise<void> {
  if (tls === undefined) throw new Malformed('TLS was started on a listener without it')
  const secured = await client.secure(asServer(tls, alpn), true)
  if (secured.alpnProtocol !== alpn)
    throw new Malformed('direct TLS without the ALPN name postgresql')
}

function withoutTls(): Refusal {
  return new Refusal('tls_required', 'this listener only speaks TLS', {
    remedy: 'Connect with sslmode=require or stricter.',
  })
}

const tokenBytesMax = 16 * 1024
const askForPassword = message('R', int32(3))

/** The token, sent as a password. Undefined when the client left instead, as psql does to ask its user. */
export async function token(client: Channel): Promise<string | undefined> {
  client.write(askForPassword)
  const frame = await client.read({ length, bytesMax: tokenBytesMax })
  if (frame === undefined) return undefined
  if (frame[0] !== 0x70) throw new Malformed('a password was expected')
  const [password, end] = text(frame, 5)
  if (end !== frame.length) throw new Malformed('a password ends before its message')
  if (password === '') throw new Refusal('token_missing')
  return password
}
