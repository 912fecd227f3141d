import {
  createHash,
  createHmac,
  pbkdf2,
  randomBytes,
  timingSafeEqual,
  type X509Certificate,
} from 'node:crypto'
import { promisify } from 'node:util'
import { Malformed } from '../../pdp/refusal.ts'

const derive = promisify(pbkdf2)
/** Fewer makes the password cheap to guess for whoever poses as the server; more would be a way to keep us busy. */
const iterationsMin = 4_096
const iterationsMax = 1_000_000

/** One login with SCRAM-SHA-256 (RFC 5802, RFC 7677), bound to the TLS channel where the server offers it. */
export interface Scram {
  readonly mechanism: 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS'
  readonly first: string
  /** Answers the server's challenge. Throws Malformed. */
  answer(serverFirst: string): Promise<string>
  /** Throws Malformed unless the server proved that it knows the password too. */
  verify(serverFinal: string): void
}

/** Undefined when the server offers no mechanism we accept. */
export function scram(
  password: string,
  mechanisms: readonly string[],
  certificate?: X509Certificate,
): Scram | undefined {
  const bound = certificate !== undefined && mechanisms.includes('SCRAM-SHA-256-PLUS')
  if (!bound && !mechanisms.includes('SCRAM-SHA-256')) return undefined
  const header = bound ? 'p=tls-server-end-point,,' : certificate ? 'y,,' : 'n,,'
  const nonce = randomBytes(18).toString('base64')
  const bare = `n=,r=${nonce}`
  const binding = Buffer.concat([
    Buffer.from(header),
    ...(bound && certificate ? [endpoint(certificate)] : []),
  ])
  let expected: Buffer | undefined

  return {
    mechanism: bound ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256',
    first: header + bare,
    answer,
    verify,
  }

  async function answer(serverFirst: string): Promise<string> {
    const { r = '', s = '', i = '' } = attributes(serverFirst)
    const iterations = Number(i)
    if (!r.startsWith(nonce) || r.length === nonce.length || s === '')
      throw new Malformed('the datastore sent a SCRAM challenge that is not for us')
    if (!(iterations >= iterationsMin && iterations <= iterationsMax))
      throw new Malformed(`the datastore asks for ${iterations} SCRAM iterations`)
    const salted = await derive(
      password.normalize('NFKC'),
      Buffer.from(s, 'base64'),
      iterations,
      32,
      'sha256',
    )
    const clientKey = hmac(salted, 'Client Key')
    const unproven = `c=${binding.toString('base64')},r=${r}`
    const exchange = `${bare},${serverFirst},${unproven}`
    const signature = hmac(createHash('sha256').update(clientKey).digest(), exchange)
    expected = hmac(hmac(salted, 'Server Key'), exchange)
    return `${unproven},p=${xor(clientKey, signature).toString('base64')}`
  }

  function verify(serverFinal: string): void {
    const signature = Buffer.from(attributes(serverFinal)['v'] ?? '', 'base64')
    if (
      expected === undefined ||
      signature.length !== expected.length ||
      !timingSafeEqual(signature, expected)
    )
      throw new Malformed('the datastore could not prove that it knows the password')
  }
}

function attributes(list: string): Readonly<Record<string, string>> {
  return Object.fromEntries(list.split(',').map((one) => [one.slice(0, 1), one.slice(2)]))
}

const hmac = (key: Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()

function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)))
}

/** tls-server-end-point (RFC 5929): the certificate under its signature's hash, SHA-256 instead of anything weaker. */
function endpoint(certificate: X509Certificate): Buffer {
  const signed = String(certificate.signatureAlgorithm ?? '').toLowerCase()
  const hash = /sha(224|384|512)/.exec(signed)?.[0] ?? 'sha256'
  return createHash(hash).update(certificate.raw).digest()
}
