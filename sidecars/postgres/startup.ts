import { Malformed, Refusal } from '../../pdp/refusal.ts'
import { int32, message, text, valid } from './frames.ts'

/** What a client asks for before it logs in. */
export type Startup = {
  /** 0 or 2: the minor version of protocol 3 that is spoken. */
  readonly minor: 0 | 2
  readonly user: string
  readonly database: string
  readonly application: string
  /** Parameters that go upstream as the client sent them. */
  readonly settings: Readonly<Record<string, string>>
  /** NegotiateProtocolVersion, when the client asked for more than we speak. */
  readonly negotiation?: Buffer
}

/** Larger than any honest startup packet; PostgreSQL's own maximum. */
export const startupBytesMax = 10_000
const valueCharsMax = 1_000

/** Settings a client may choose at startup. Everything else could change what a statement means, or who it runs as. */
const passedOn = new Map(
  [
    'application_name',
    'DateStyle',
    'TimeZone',
    'IntervalStyle',
    'extra_float_digits',
    'statement_timeout',
    'lock_timeout',
    'idle_in_transaction_session_timeout',
  ].map((name) => [name.toLowerCase(), name]),
)

/** Reads a StartupMessage of protocol 3 (PostgreSQL 55.7). Throws Refusal for what is not passed on, Malformed. */
export function startup(frame: Buffer): Startup {
  const version = frame.readUInt32BE(4)
  if (version >>> 16 !== 3)
    throw new Refusal('unsupported_message', `protocol ${version >>> 16} is not spoken, only 3`)
  const parameters = parametersOf(frame)
  const { user = '', database = user } = parameters
  if (user === '') throw new Refusal('unsupported_message', 'the startup packet names no user')
  const options = Object.keys(parameters).filter((name) => name.startsWith('_pq_.'))
  const minor = (version & 0xffff) >= 2 ? 2 : 0
  const settings = allowed(parameters)
  return {
    minor,
    user,
    database: database === '' ? user : database,
    application: settings['application_name'] ?? '',
    settings,
    ...(((version & 0xffff) !== minor || options.length > 0) && {
      negotiation: message('v', int32((3 << 16) | minor), int32(options.length), ...options),
    }),
  }
}

function parametersOf(frame: Buffer): Record<string, string> {
  const found: Record<string, string> = Object.create(null)
  let at = 8
  while (at < frame.length - 1) {
    if (!valid(frame, at)) throw new Malformed('a startup parameter is not UTF-8')
    const [name, middle] = text(frame, at)
    if (!valid(frame, middle)) throw new Malformed('a startup parameter is not UTF-8')
    const [value, next] = text(frame, middle)
    if (value.length > valueCharsMax)
      throw new Refusal('unsupported_message', `startup parameter ${quoted(name)} is too long`)
    if (name in found) throw new Malformed(`startup parameter ${quoted(name)} comes twice`)
    found[name] = value
    at = next
  }
  if (at !== frame.length - 1 || frame[at] !== 0)
    throw new Malformed('the startup packet does not end where it says')
  return found
}

function allowed(parameters: Readonly<Record<string, string>>): Record<string, string> {
  const settings: Record<string, string> = {}
  for (const [name, value] of Object.entries(parameters)) {
    if (name === 'user' || name === 'database' || name.startsWith('_pq_.')) continue
    const known = passedOn.get(name.toLowerCase())
    if (known !== undefined) settings[known] = value
    else check(name, value)
  }
  return settings
}

function check(name: string, value: string): void {
  if (name === 'options' && value.trim() === '') return
  if (name === 'replication') {
    if (/^(false|off|no|0)?$/i.test(value)) return
    throw new Refusal('unsupported_message', 'replication is not passed on')
  }
  if (name === 'client_encoding') {
    if (encodings.has(value.toLowerCase().replace(/[^a-z0-9]/g, ''))) return
    throw new Refusal('unsupported_message', 'client_encoding must be UTF8', {
      remedy: 'Set PGCLIENTENCODING=UTF8, or leave it out.',
    })
  }
  throw new Refusal('unsupported_message', `startup parameter ${quoted(name)} is not passed on`, {
    remedy: `Connect without it. Passed on: ${[...passedOn.values()].join(', ')}.`,
  })
}

/** SQL_ASCII says that the client does not care; it is answered in UTF8 like everybody. */
const encodings = new Set(['utf8', 'unicode', 'sqlascii', ''])

const quoted = (name: string): string => JSON.stringify(name.slice(0, 64))
