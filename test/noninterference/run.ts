/** Says the same to both variants, through the gate and past it, and compares every byte that comes back. */
import type { Sidecar } from '../../sidecars/sidecar.ts'
import { errorOf, refused, visible } from './client.ts'
import { type Case, generator } from './generator.ts'
import { relationsOf } from './relations.ts'
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

/** Runs random statements until there were enough. */
export async function run(stage: Stage, plan: Plan): Promise<Outcome> {
  const total = outcome()
  const door = await stage.open()
  try {
    const each = Math.ceil(plan.statements / plan.workers)
    const work = Array.from({ length: plan.workers }, async (_, index) => {
      const past = await stage.direct(index)
      try {
        const next = generator(plan.seed * 1_000 + index, await relationsOf(past.a))
        await session({ door, index, next, past, plan: { ...plan, statements: each }, total })
      } finally {
        past.close()
      }
    })
    await Promise.all(work)
  } finally {
    await door.close()
  }
  return total
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
  const past = await stage.direct(0)
  const through = await door.connect(hunt.pair)
  try {
    const next = generator(hunt.seed, await relationsOf(past.a))
    for (let made = 0; made < hunt.statements && total.leaks.length === 0; ) {
      const one = next()
      made += one.texts.length
      if (one.texts.some(hunt.concerns)) await judged(one, through, undefined, total)
    }
  } finally {
    through.close()
    past.close()
    await door.close()
  }
  return total.leaks[0]
}

function outcome(): Outcome {
  return {
    statements: 0,
    leaks: [],
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
  readonly door: Doorway
  readonly index: number
  readonly next: () => Case
  readonly past: Pair
  readonly plan: Plan
  readonly total: Outcome
}

async function session({ door, index, next, past, plan, total }: Session): Promise<void> {
  const own = { statements: 0 }
  let through = await door.connect(index)
  try {
    while (own.statements < plan.statements) {
      const one = next()
      await judged(one, through, past, total)
      own.statements += one.texts.length
      if (!through.a.closed() && !through.b.closed()) continue
      through.close()
      through = await door.connect(index)
    }
  } finally {
    through.close()
  }
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
