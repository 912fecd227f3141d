import type { QuotaRule, Resource, Subject } from './contract.ts'
import { Refusal } from './refusal.ts'

/** Whose commands, rows and bytes are counted. */
export type Spender = {
  readonly subject: Subject
  readonly session: string
  readonly resource: Resource
}

export type Spent = {
  readonly commands?: number
  readonly rows?: number
  readonly bytes?: number
}

/** Counts what was used in sliding windows and says when a quota is used up. */
export interface Quotas {
  /** The refusal of the first quota that has nothing left; undefined while all have. Counts nothing. */
  check(rules: readonly QuotaRule[], spender: Spender): Refusal | undefined
  /** As check, and counts one command against every quota when none is used up: nobody gets in between. */
  take(rules: readonly QuotaRule[], spender: Spender): Refusal | undefined
  /** Counts rows and bytes of an answer: the quota they use up refuses the next command. */
  spend(rules: readonly QuotaRule[], spender: Spender, spent: Spent): void
}

/** Windows are cut into this many slots; a slot counts until all of it has left the window, so never too little. */
const slots = 12
const countersMax = 100_000
const evictionsMax = 16

type Counter = {
  readonly slotMs: number
  /** The number of the newest slot: milliseconds since the epoch divided by slotMs. */
  newest: number
  readonly used: number[]
}

/** Quotas in the memory of this process, at most 100,000 counters; a full table of live counters refuses. */
export function memoryQuotas(
  options: { readonly now?: () => number; readonly countersMax?: number } = {},
): Quotas {
  const now = options.now ?? Date.now
  const max = options.countersMax ?? countersMax
  const counters = new Map<string, Counter>()

  function check(rules: readonly QuotaRule[], spender: Spender): Refusal | undefined {
    const nowMs = now()
    for (const rule of rules) {
      const counter = counterOf(rule, spender, nowMs)
      if (counter === undefined) return crowded()
      // Written so that a maximum that is no number refuses.
      if (!(total(counter) < rule.max)) return exceeded(rule, counter, nowMs)
    }
    return undefined
  }

  function spend(rules: readonly QuotaRule[], spender: Spender, spent: Spent): void {
    const nowMs = now()
    for (const rule of rules) {
      const amount = spent[rule.metric] ?? 0
      const counter = amount > 0 ? counterOf(rule, spender, nowMs) : undefined
      if (counter !== undefined) counter.used[0] = (counter.used[0] ?? 0) + amount
    }
  }

  function counterOf(rule: QuotaRule, spender: Spender, nowMs: number): Counter | undefined {
    const key = keyOf(rule, spender)
    const counter = counters.get(key) ?? fresh(rule)
    advance(counter, nowMs)
    counters.delete(key)
    if (!room(nowMs)) return undefined
    // At the end again: the first ones of the map are the longest unused.
    counters.set(key, counter)
    return counter
  }

  function room(nowMs: number): boolean {
    let tries = evictionsMax
    for (const [key, counter] of counters) {
      if (counters.size < max || tries-- === 0) break
      advance(counter, nowMs)
      if (total(counter) === 0) counters.delete(key)
    }
    return counters.size < max
  }

  return {
    check,
    spend,
    take(rules, spender) {
      if (rules.length === 0) return undefined
      const refusal = check(rules, spender)
      if (refusal === undefined) spend(rules, spender, { commands: 1 })
      return refusal
    },
  }
}

function fresh(rule: QuotaRule): Counter {
  const slotMs = Math.max(1, Math.ceil((rule.window_s * 1000) / slots)) || 1
  return { slotMs, newest: 0, used: [] }
}

/** Drops the slots that left the window; a clock that goes back changes nothing. */
function advance(counter: Counter, nowMs: number): void {
  const newest = Math.floor(nowMs / counter.slotMs)
  const passed = newest - counter.newest
  if (passed <= 0) return
  counter.newest = newest
  if (passed > slots) counter.used.length = 0
  else for (let slot = 0; slot < passed; slot += 1) counter.used.unshift(0)
  // One more than the window holds, for the slot that is only partly in it.
  counter.used.length = Math.min(counter.used.length, slots + 1)
}

function total(counter: Counter): number {
  let sum = 0
  for (const used of counter.used) sum += used
  return sum
}

function exceeded(rule: QuotaRule, counter: Counter, nowMs: number): Refusal {
  const retryAfterS = Math.max(1, Math.ceil(freeInMs(rule, counter, nowMs) / 1000))
  return new Refusal(
    'quota_exceeded',
    `quota ${rule.name} is used up: ${rule.max} ${rule.metric} per ${rule.per} in ${rule.window_s} s; try again in ${retryAfterS} s`,
    { retryAfterS, remedy: `wait ${retryAfterS} s` },
  )
}

/** When enough of the oldest slots have left the window. */
function freeInMs(rule: QuotaRule, counter: Counter, nowMs: number): number {
  let left = total(counter)
  for (let age = counter.used.length - 1; age >= 0; age -= 1) {
    left -= counter.used[age] ?? 0
    if (left < rule.max) return (counter.newest - age + slots + 1) * counter.slotMs - nowMs
  }
  return rule.window_s * 1000
}

function crowded(): Refusal {
  return new Refusal('quota_exceeded', 'the gate counts too many quotas at once; try again later', {
    retryAfterS: 60,
  })
}

/** Length-prefixed, so that no name can be made to look like two. */
function keyOf(rule: QuotaRule, spender: Spender): string {
  const parts = [rule.name, rule.metric, String(rule.window_s), ...ownerOf(rule, spender)]
  return parts.map((part) => `${part.length}:${part}`).join('')
}

/** An actor or run that the issuer did not vouch for could be changed at will, so it does not count as one. */
function ownerOf(rule: QuotaRule, { subject, session, resource }: Spender): readonly string[] {
  const actor = subject.actor?.attested === true ? subject.actor : undefined
  switch (rule.per) {
    case 'session':
      return ['session', session]
    case 'resource':
      return ['resource', resource.id]
    case 'run':
      if (actor?.run === undefined) break
      return ['run', subject.issuer, actor.id, actor.run]
    case 'actor':
      if (actor === undefined) break
      return ['actor', subject.issuer, actor.id]
  }
  return ['subject', subject.issuer, subject.id]
}
