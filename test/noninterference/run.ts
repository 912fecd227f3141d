/** Says the same to both variants, through the gate and past it, and compares every byte that comes back. */
import type { Sidecar } from '../../sidecars/sidecar.ts'
import { errorOf, refused, visible } from './client.ts'
import { type Case, generator } from './generator.ts'
import { type Relation, relationsOf } from './relations.ts'
import type { Doorway, Pair, Stage } from './stage.ts'

/** Two answers of the gate that differ. */
export type Leak = {
  readonly texts: readonly string[]
  readonly mode: string
  readonly text: string
  readonly a: string
  readonly b: string
}

/** What came out over all statements. */
export type Outcome = {
  statements: number
  readonly leaks: Leak[]
  /** Differed only because the files under the databases did by then. */
  drifted: number
  /** Where the gate failed, or ended the session. */
  readonly broken: string[]
  refused: number
  /** Answered, but not as the server itself would. */
  masked: number
  /** What the server itself answers tells the variants apart. */
  differing: number
  /** Refused or masked although the server's own answers are the same. */
  refusedNeedlessly: number
  maskedNeedlessly: number
  /** The server does not run it either. */
  failing: number
}

export type Plan = {
  readonly seed: number
  readonly statements: number
  /** Sessions at a time; each has a pair of databases to itself. */
  readonly workers: number
}

/**
 * Protected values have lengths, so what is written beside them fills pages, and sooner or later changes plans and with
 * them the order of rows: after this many statements a session gets new databases.
 */
const statementsPerPairMax = 2_500

/** Runs random statements until there were enough. */
export async function run(stage: Stage, plan: Plan): Promise<Outcome> {
  const total = outcome()
  const door = await stage.open()
  try {
    const each = Math.ceil(plan.statements / plan.workers)
    const work = Array.from({ length: plan.workers }, async (_, index) => {
      const next = generator(plan.seed * 1_000 + index, await relationsAt(stage, index))
      for (let left = each; left > 0; left -= statementsPerPairMax) {
        const statements = Math.min(left, statementsPerPairMax)
        await session({ stage, door, index, next, statements, total })
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
): Promise<Outcome> {
  const total = outcome()
  const door = await stage.open()
  const past = await stage.direct(pair)
  const through = await door.connect(pair)
  try {
    for (const one of cases) await judged(one, through, past, total)
  } finally {
    through.close()
    past.close()
    await door.close()
  }
  return total
}

export type Hunt = {
  readonly sidecar: Sidecar
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
  const door = await stage.open(hunt.sidecar)
  const next = generator(hunt.seed, await relationsAt(stage, hunt.pair))
  const through = await door.connect(hunt.pair)
  try {
    for (let made = 0; made < hunt.statements && total.leaks.length === 0; ) {
      const one = next()
      made += one.texts.length
      if (one.texts.some(hunt.concerns)) await judged(one, through, undefined, total)
    }
  } finally {
    through.close()
    await door.close()
    await stage.renew(hunt.pair)
  }
  return total.leaks[0]
}

function outcome(): Outcome {
  return {
    statements: 0,
    leaks: [],
    drifted: 0,
    broken: [],
    refused: 0,
    masked: 0,
    differing: 0,
    refusedNeedlessly: 0,
    maskedNeedlessly: 0,
    failing: 0,
  }
}

type Session = {
  readonly stage: Stage
  readonly door: Doorway
  readonly index: number
  readonly next: () => Case
  readonly statements: number
  readonly total: Outcome
}

async function session({ stage, door, index, next, statements, total }: Session): Promise<void> {
  const past = await stage.direct(index)
  let through = await door.connect(index)
  try {
    for (let done = 0; done < statements; ) {
      const one = next()
      await judged(one, through, past, total)
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
    await judged(one, through, undefined, total)
  } finally {
    through.close()
    await stage.renew(pair)
  }
  return total.leaks.length > 0 || total.broken.length > 0
}

async function judged(
  one: Case,
  through: Pair,
  past: Pair | undefined,
  total: Outcome,
): Promise<void> {
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
    if (raw !== undefined) weigh(total, { gate: a, shown: shownA, raw })
  }
}

/** It ended the session, or says itself that something went wrong inside. */
const isBroken = (frames: readonly Buffer[]): boolean =>
  frames.at(-1)?.[0] !== 0x5a || errorOf(frames)?.includes('inside the gate') === true

type Answers = readonly [a: readonly Buffer[], b: readonly Buffer[]]

type Weighed = { readonly gate: readonly Buffer[]; readonly shown: string; readonly raw: Answers }

function weigh(total: Outcome, { gate, shown, raw: [rawA, rawB] }: Weighed): void {
  const same = visible(rawA) === visible(rawB)
  const fails = errorOf(rawA) !== undefined
  if (!same) total.differing += 1
  if (fails) total.failing += 1
  if (refused(gate)) {
    total.refused += 1
    if (same && !fails) total.refusedNeedlessly += 1
  } else if (shown !== visible(rawA)) {
    total.masked += 1
    if (same && !fails) total.maskedNeedlessly += 1
  }
}

/** Every text of a case to both; what was written is taken back. */
async function both(one: Case, { a, b }: Pair): Promise<readonly Answers[]> {
  const say = async (text: string, data?: string): Promise<Answers> =>
    await Promise.all([a.say(text, one.mode, data), b.say(text, one.mode, data)])
  const answers: Answers[] = []
  if (one.writes) await say('begin')
  for (const text of one.texts) answers.push(await say(text, one.data))
  if (one.writes) await say('rollback')
  return answers
}
