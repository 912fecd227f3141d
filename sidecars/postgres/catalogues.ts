import type { Credential, Gate } from '../../pdp/contract.ts'
import { type Catalogue, loadCatalogue } from './catalogue.ts'
import { ask } from './control.ts'
import { terminate } from './frames.ts'
import { login } from './upstream.ts'

/** What one database holds, kept for every session that uses it. */
export interface Shared {
  /** As last read; read again in the background once it is old. */
  current(): Catalogue
  /** Read again, from now or later; callers meanwhile share one reading. Throws Refusal. */
  refresh(): Promise<Catalogue>
  /** Something is not in it: reads again unless that was tried a moment ago. Undefined when it was. */
  missed(): Promise<Catalogue> | undefined
}

const ageMsMax = 60_000
/** At most this often because of a table that is not known: a client must not make the gate read without end. */
const unknownMsMin = 5_000
const databasesMax = 64

const gates = new WeakMap<object, Map<string, Promise<Shared>>>()

/** The catalogue of a database as this credential sees it; the first caller waits until it is read. Throws Refusal. */
export function catalogueOf(gate: Gate, database: string, credential: Credential): Promise<Shared> {
  const known = gates.get(gate.upstream) ?? new Map<string, Promise<Shared>>()
  gates.set(gate.upstream, known)
  const key = JSON.stringify([database, credential.username])
  const found = known.get(key)
  if (found !== undefined) return found
  const made = shared(() => load(gate, database, credential))
  known.set(key, made)
  made.catch(() => known.delete(key))
  const [oldest] = known.keys()
  if (known.size > databasesMax && oldest !== undefined) known.delete(oldest)
  return made
}

async function load(gate: Gate, database: string, credential: Credential): Promise<Catalogue> {
  const settings = { database, application_name: 'postern' }
  const { channel } = await login(gate.upstream, credential, settings)
  try {
    return await loadCatalogue((sql) => ask(channel, sql))
  } finally {
    channel.write(terminate)
    channel.end()
  }
}

async function shared(read: () => Promise<Catalogue>): Promise<Shared> {
  let catalogue = await read()
  let readMs = Date.now()
  let running: Promise<Catalogue> | undefined
  let next: Promise<Catalogue> | undefined

  return { current, refresh, missed }

  function current(): Catalogue {
    if (Date.now() - readMs > ageMsMax) refreshQuietly()
    return catalogue
  }

  function missed(): Promise<Catalogue> | undefined {
    return Date.now() - readMs < unknownMsMin ? undefined : refresh()
  }

  function refreshQuietly(): void {
    readMs = Date.now()
    refresh().catch(() => undefined)
  }

  /** A reading that has begun may have missed what the caller knows of, so it is not joined but followed. */
  function refresh(): Promise<Catalogue> {
    next ??= Promise.resolve(running?.catch(() => undefined)).then(() => {
      next = undefined
      running = again()
      return running
    })
    return next
  }

  async function again(): Promise<Catalogue> {
    readMs = Date.now()
    catalogue = await read()
    return catalogue
  }
}
