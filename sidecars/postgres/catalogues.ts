import { setTimeout as sleep } from 'node:timers/promises'
import type { Credential, Gate } from '../../pdp/contract.ts'
import { type Catalogue, loadCatalogue } from './catalogue.ts'
import { ask } from './control.ts'
import { terminate } from './frames.ts'
import { settings } from './sign.ts'
import { login as logIn } from './upstream.ts'
import { watch } from './watch.ts'

/** What one database holds, kept for every session that uses it. */
export interface Shared {
  /** As last read. */
  current(): Catalogue
  /** Read again, from now or later; callers meanwhile share one reading. Throws Refusal. */
  refresh(): Promise<Catalogue>
  /** Not surely what is there: what to wait for. Rejects with the Refusal of a look or a reading that failed. */
  overdue(): Promise<unknown> | undefined
  /** As it is at a moment after this call: looks, and reads again what has changed. Throws Refusal. */
  latest(): Promise<Catalogue>
  /** A session begins to use it: looked at from now on. Answers what ends the use. */
  enter(): () => void
}

/** A session's view of the definitions is at most this old when nothing asks for better. */
const pollMs = 1_000
/** Nothing is judged by what was not looked at for so long. */
const blindMsMax = 10_000
/** The connection that looks outlives the last session by this. */
const restMs = 5_000
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
  const made = { login, shared: shared(() => opened(gate, database, login.credential)) }
  databases.set(key, made)
  made.shared.catch(() => databases.delete(key))
  const [oldest] = databases.keys()
  if (databases.size > databasesMax && oldest !== undefined) databases.delete(oldest)
  return made.shared
}

type Open = () => Promise<Awaited<ReturnType<typeof logIn>>['channel']>

async function opened(gate: Gate, database: string, credential: Credential): ReturnType<Open> {
  const own = { ...settings, database, application_name: 'postern' }
  return (await logIn(gate.upstream, credential, own)).channel
}

async function load(open: Open): Promise<Catalogue> {
  const channel = await open()
  try {
    return await loadCatalogue((sql) => ask(channel, sql))
  } finally {
    channel.write(terminate)
    channel.end()
  }
}

async function shared(open: Open): Promise<Shared> {
  let catalogue = await load(open)
  let surelyMs = Date.now()
  /** Something is there that the catalogue does not have. */
  let stale = false
  let running: Promise<Catalogue> | undefined
  let next: Promise<Catalogue> | undefined
  let users = 0
  let polling = false
  let resting: NodeJS.Timeout | undefined
  const watching = watch({ mark: catalogue.mark, content: catalogue.sign }, open)

  return {
    current: () => catalogue,
    refresh,
    overdue,
    latest,
    enter,
  }

  function overdue(): Promise<unknown> | undefined {
    return stale || Date.now() - surelyMs > blindMsMax ? latest() : undefined
  }

  async function latest(): Promise<Catalogue> {
    const begunMs = Date.now()
    const { content } = await watching.look()
    if (content !== catalogue.sign) {
      stale = true
      return refresh()
    }
    stale = false
    surelyMs = Math.max(surelyMs, begunMs)
    return catalogue
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
    const begunMs = Date.now()
    const found = await load(open)
    // What was read from an equal one still holds.
    if (found.sign !== catalogue.sign) catalogue = found
    stale = false
    surelyMs = begunMs
    return catalogue
  }

  function enter(): () => void {
    users += 1
    // Nobody has looked for a while.
    if (users === 1 && Date.now() - surelyMs > pollMs) stale = true
    clearTimeout(resting)
    if (!polling) void poll()
    return () => {
      users -= 1
      if (users > 0) return
      resting = setTimeout(() => watching.rest(), restMs)
      resting.unref()
    }
  }

  /** One look after the other: a datastore that is slow to answer is not asked more often. */
  async function poll(): Promise<void> {
    polling = true
    while (users > 0) {
      await sleep(pollMs, undefined, { ref: false })
      if (users > 0) await latest().catch(() => undefined)
    }
    polling = false
  }
}
