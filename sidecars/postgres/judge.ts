import type { Allowed, Asking, Refused, Ruling } from '../../pdp/contract.ts'
import { Refusal } from '../../pdp/refusal.ts'
import type { SqlFacts } from '../sql/facts.ts'
import { type Declined, declined } from './absent.ts'
import { copyOptions } from './copy/options.ts'
import { copyPlanOf } from './mask/plan.ts'
import { type Run, run } from './run.ts'
import { unmaskable } from './screen.ts'
import { sealed } from './seal/seal.ts'
import type { State } from './state.ts'
import type { Statement } from './statement.ts'

/** All of them may run, or one may not and none does. */
export type Judged = readonly Run[] | Declined

export const isRefused = (judged: Judged): judged is Declined => 'refusal' in judged

/** Asks for each statement in turn; synchronous as long as the answers are. */
export function judge(
  state: State,
  statements: readonly Statement[],
  asking: Asking,
): Judged | Promise<Judged> {
  const runs: Run[] = []
  for (const [index, statement] of statements.entries()) {
    const ruling = state.session.ask(statement.command, withSignal(state, asking))
    if ('then' in ruling) return later(state, statements, asking, { index, ruling, runs })
    const refused = admit(state, statement, ruling, { runs, asking })
    if (refused !== undefined) return refused
  }
  return runs
}

type Waiting = { readonly index: number; readonly ruling: Promise<Ruling>; readonly runs: Run[] }

async function later(
  state: State,
  statements: readonly Statement[],
  asking: Asking,
  { index, ruling, runs }: Waiting,
): Promise<Judged> {
  state.waiting = true
  try {
    let answer: Ruling | undefined = await ruling
    for (const statement of statements.slice(index)) {
      // In order: a person may have to answer each.
      answer ??= await state.session.ask(statement.command, withSignal(state, asking))
      const refused = admit(state, statement, answer, { runs, asking })
      if (refused !== undefined) return refused
      answer = undefined
    }
    return runs
  } finally {
    state.waiting = false
  }
}

/** One signal serves until Ctrl-C spends it. */
function withSignal(state: State, asking: Asking): Asking {
  if (state.asking.signal.aborted) state.asking = new AbortController()
  return { ...asking, signal: state.asking.signal }
}

/** Adds the run, or says why none of them may run and takes back those before. */
function admit(
  state: State,
  statement: Statement,
  ruling: Ruling,
  { runs, asking }: Admitting,
): Declined | undefined {
  const verdict = ruling.allowed ? carried(state, statement, ruling, { runs, asking }) : ruling
  if ('statement' in verdict) {
    runs.push(verdict)
    return undefined
  }
  for (const earlier of runs) earlier.finish('42501')
  return declined(state, runs, statement, verdict)
}

type Admitting = { readonly runs: Run[]; readonly asking: Asking }

/** The run that carries out a ruling, or why this gate cannot. */
function carried(
  state: State,
  statement: Statement,
  ruling: Allowed,
  { runs, asking }: Admitting,
): Run | Refused {
  try {
    const sure = sealed(state, statement, { ruling, asking, before: runs })
    mustBeMaskable(state, ruling, sure)
    mustStay(ruling, sure)
    return run(ruling, sure, state)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    ruling.done({ rows: 0, bytes: 0, error: '42501' })
    return { allowed: false, id: ruling.id, refusal: error }
  }
}

/** COPY TO names no columns in its answer: what cannot be masked by what was read must not begin. Throws Refusal. */
function mustBeMaskable(state: State, { mask }: Allowed, statement: Statement): void {
  if (statement.copy !== 'out' || mask.empty) return
  const options = copyOptions(statement.command)
  const planning = { statement, mask, catalogue: state.catalogue.current(), trust: 'all' } as const
  const plan = copyPlanOf(planning, options?.format === 'binary')
  if (plan !== undefined && (plan === 'unknown' || options === undefined)) throw unmaskable
}

/** What is set, numbered or sent may be read where nothing masks it, and a plan shows statistics. Throws Refusal. */
function mustStay({ mask }: Allowed, { command }: Statement): void {
  if (mask.empty) return
  const sql = command['sql'] as SqlFacts | undefined
  const leaving = sql?.functions.some((one) => one.class === 'acting') ? given(sql) : []
  const left = leaving.find((name) => mask.column(name) !== undefined)
  if (left !== undefined)
    throw new Refusal(
      'mask_impossible',
      `${left} would leave in a setting, a sequence or a message`,
    )
  if (command.name !== 'explain') return
  const [plan] = command.incomplete === undefined ? (command.outputs ?? []) : []
  const seen = plan?.sources.find((name) => mask.column(name) !== undefined)
  if (plan === undefined || seen !== undefined)
    throw new Refusal('mask_impossible', `a plan shows statistics of ${seen ?? 'what is masked'}`, {
      remedy: 'Explain a statement that leaves the masked columns out, without further options.',
    })
}

/** Columns that functions are given, or that code looks at; for triggers whoever defined them answers. */
function given({ columns = [], functions, triggers }: SqlFacts): readonly string[] {
  const isCode = !triggers && functions.some((one) => /^(user|definer):/.test(one.class))
  const found = columns.filter(
    ({ roles }) => roles.includes('argument') || (isCode && roles.includes('inside')),
  )
  return found.map(({ name }) => name)
}
