/** Says the same to both variants, through the gate and past it, and compares every byte that comes back. */
import type { Command } from '../../pdp/contract.ts'
import type { Case } from './cases.ts'
import { errorOf, type Sent, visible } from './client.ts'
import { generator } from './generator.ts'
import { type Answers, type Leak, type Outcome, outcome, weigh } from './outcome.ts'
import { recorder } from './recorder.ts'
import { type Relation, relationsOf } from './relations.ts'
import type { Doorway, Opening, Pair, Profile, Stage } from './stage.ts'

export type Plan = {
  readonly seed: number
  readonly statements: number
  /** Sessions at a time; each has a pair of databases to itself. */
  readonly workers: number
  readonly profile?: Profile
}

/**
 * Protected values have lengths, so what is written beside them fills pages, and sooner or later changes plans and with
 * them the order of rows: after this many statements a session gets new databases.
 */
const statementsPerPairMax = 2_500

/** Runs random statements until there were enough. */
export async function run(stage: Stage, plan: Plan): Promise<Outcome> {
  const total = outcome()
  const { sidecar, read } = recorder()
  const door = await stage.open({ sidecar, profile: plan.profile })
  try {
    const each = Math.ceil(plan.statements / plan.workers)
    const work = Array.from({ length: plan.workers }, async (_, index) => {
      const next = generator(plan.seed * 1_000 + index, await relationsAt(stage, index))
      for (let left = each; left > 0; left -= statementsPerPairMax) {
        const statements = Math.min(left, statementsPerPairMax)
        await session({ stage, door, index, next, statements, total, read })
        await stage.renew(index)
      }
    })
    await Promise.all(work)
  } finally {
    await door.close()
  }
  return total
}

async function relationsAt(stage: Stage, pair: number): Promise<readonly Relation[]> {
  const past = await stage.direct(pair)
  try {
    return await relationsOf(past.a)
  } finally {
    past.close()
  }
}

/** Runs these cases, in order, in one session with this pair of databases. */
export async function runCases(
  stage: Stage,
  pair: number,
  cases: readonly Case[],
  profile?: Profile,
): Promise<Outcome> {
  const total = outcome()
  const door = await stage.open({ profile })
  const past = await stage.direct(pair)
  const through = await door.connect(pair)
  try {
    for (const one of cases) await judged(one, { through, past, total })
  } finally {
    through.close()
    past.close()
    await door.close()
  }
  return total
}

export type Hunt = Opening & {
  readonly seed: number
  readonly statements: number
  /** The pair of databases, which nobody else may have written to. */
  readonly pair: number
  /** The cases that can show anything. */
  concerns(text: string): boolean
}

/** The first leak of another sidecar, within so many statements of the generator. */
export async function firstLeak(stage: Stage, hunt: Hunt): Promise<Leak | undefined> {
  const total = outcome()
  const door = await stage.open(hunt)
  const next = generator(hunt.seed, await relationsAt(stage, hunt.pair))
  const through = await door.connect(hunt.pair)
  try {
    for (let made = 0; made < hunt.statements && total.leaks.length === 0; ) {
      const one = next()
      made += one.texts.length
      if (one.texts.some(hunt.concerns)) await judged(one, { through, total })
    }
  } finally {
    through.close()
    await door.close()
    await stage.renew(hunt.pair)
  }
  return total.leaks[0]
}

type Session = {
  readonly stage: Stage
  readonly door: Doorway
  readonly index: number
  readonly next: () => Case
  readonly statements: number
  readonly total: Outcome
  readonly read: Read
}

/** How the gate read a text lately. */
type Read = (text: string) => Command | undefined

async function session({
  stage,
  door,
  index,
  next,
  statements,
  total,
  read,
}: Session): Promise<void> {
  const past = await stage.direct(index)
  let through = await door.connect(index)
  try {
    for (let done = 0; done < statements; ) {
      const one = next()
      await judged(one, { through, past, total, read })
      done += one.texts.length
      const leaks = total.leaks.filter((leak) => leak.texts === one.texts)
      const again = { stage, door, pair: confirming + index }
      if (leaks.length > 0 && !(await leaksAfresh(again, one))) {
        for (const leak of leaks) total.leaks.splice(total.leaks.indexOf(leak), 1)
        total.drifted += 1
      }
      if (!through.a.closed() && !through.b.closed()) continue
      through.close()
      through = await door.connect(index)
    }
  } finally {
    through.close()
    past.close()
  }
}

/** Pairs of databases that a leak is looked at again in. */
const confirming = 10_000

type Place = { readonly stage: Stage; readonly door: Doorway; readonly pair: number }

/** Whether a case, which depends on nothing before it, also leaks in databases nobody wrote to. */
async function leaksAfresh({ stage, door, pair }: Place, one: Case): Promise<boolean> {
  const total = outcome()
  const through = await door.connect(pair)
  try {
    await judged(one, { through, total })
  } finally {
    through.close()
    await stage.renew(pair)
  }
  return total.leaks.length > 0 || total.broken.length > 0
}

type Judging = {
  readonly through: Pair
  readonly past?: Pair
  readonly total: Outcome
  readonly read?: Read
}

async function judged(one: Case, { through, past, total, read }: Judging): Promise<void> {
  const gate = await both(one, through)
  const server = past === undefined ? undefined : await both(one, past)
  for (const [index, [a, b]] of gate.entries()) {
    const text = one.texts[index] ?? ''
    total.statements += 1
    const [shownA, shownB] = [visible(a), visible(b)]
    if (isBroken(a) || isBroken(b)) {
      total.broken.push(`${text}: ${errorOf(a) ?? errorOf(b)}`)
      continue
    }
    if (shownA !== shownB)
      total.leaks.push({ texts: one.texts, mode: one.mode, text, a: shownA, b: shownB })
    const raw = server?.[index]
    if (raw !== undefined) weigh(total, { text, gate: a, raw, command: read?.(text) })
  }
}

/** It ended the session, or says itself that something went wrong inside. */
const isBroken = (frames: readonly Buffer[]): boolean =>
  frames.at(-1)?.[0] !== 0x5a || errorOf(frames)?.includes('inside the gate') === true

/** Every text of a case to both; what was written is taken back. */
async function both(one: Case, { a, b }: Pair): Promise<readonly Answers[]> {
  const { mode, data, parameters } = one
  const say = async (text: string, how: Sent = { mode }): Promise<Answers> =>
    await Promise.all([a.say(text, how), b.say(text, how)])
  const answers: Answers[] = []
  if (one.writes) await say('begin')
  for (const text of one.texts) answers.push(await say(text, { mode, data, parameters }))
  if (one.writes) await say('rollback')
  return answers
}
