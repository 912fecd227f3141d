import type { Credential, Gate } from '../../pdp/contract.ts'
import { type Catalogue, loadCatalogue } from './catalogue.ts'
import { ask } from './control.ts'
import { terminate } from './frames.ts'
import { login as logIn } from './upstream.ts'

/** What one database holds, kept for every session that uses it. */
export interface Shared {
  /** As last read; read again in the background once it is old. */
  current(): Catalogue
  /** Read again, from now or later; callers meanwhile share one reading. Throws Refusal. */
  refresh(): Promise<Catalogue>
  /** Too old to be believed: what to wait for. Rejects with the Refusal of a reading that failed. */
  overdue(): Promise<Catalogue> | undefined
  /** Something is not in it: reads again unless that was tried a moment ago. Undefined when it was. */
  missed(): Promise<Catalogue> | undefined
}

const ageMsMax = 60_000
/** Older than this nothing is judged by it: a view may have become another one. */
const overdueMsMax = 300_000
/** At most this often because of a table that is not known: a client must not make the gate read without end. */
const unknownMsMin = 5_000
const databasesMax = 64

type Known = {
  readonly shared: Promise<Shared>
  /** The newest anybody came with: a secret may have been changed meanwhile. */
  readonly login: { credential: Credential }
}

const gates = new WeakMap<object, Map<string, Known>>()

/** The catalogue of a database as this credential sees it; the first caller waits until it is read. Throws Refusal. */
export function catalogueOf(gate: Gate, database: string, credential: Credential): Promise<Shared> {
  const databases = gates.get(gate.upstream) ?? new Map<string, Known>()
  gates.set(gate.upstream, databases)
  const key = JSON.stringify([database, credential.username])
  const found = databases.get(key)
  if (found !== undefined) {
    found.login.credential = credential
    return found.shared
  }
  const login = { credential }
  const made = { login, shared: shared(() => load(gate, database, login.credential)) }
  databases.set(key, made)
  made.shared.catch(() => databases.delete(key))
  const [oldest] = databases.keys()
  if (databases.size > databasesMax && oldest !== undefined) databases.delete(oldest)
  return made.shared
}

async function load(gate: Gate, database: string, credential: Credential): Promise<Catalogue> {
  const settings = { database, application_name: 'postern' }
  const { channel } = await logIn(gate.upstream, credential, settings)
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
  let freshMs = readMs
  let running: Promise<Catalogue> | undefined
  let next: Promise<Catalogue> | undefined

  return { current, refresh, missed, overdue }

  function current(): Catalogue {
    if (Date.now() - readMs > ageMsMax) refreshQuietly()
    return catalogue
  }

  function overdue(): Promise<Catalogue> | undefined {
    return Date.now() - freshMs > overdueMsMax ? refresh() : undefined
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
    const begunMs = readMs
    catalogue = await read()
    freshMs = begunMs
    return catalogue
  }
}
