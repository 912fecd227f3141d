import type { Allowed, Asking, Refused, Ruling } from '../../pdp/contract.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { type Run, run } from './run.ts'
import type { State } from './state.ts'
import type { Statement } from './statement.ts'

/** All of them may run, or one may not and none does. */
export type Judged = readonly Run[] | Refused

export const isRefused = (judged: Judged): judged is Refused => 'refusal' in judged

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
    const refused = admit(state, statement, ruling, runs)
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
      const refused = admit(state, statement, answer, runs)
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
  runs: Run[],
): Refused | undefined {
  const verdict = ruling.allowed ? enforceable(ruling, statement) : ruling
  if (verdict.allowed) {
    if (!verdict.mask.empty) state.guard = verdict.id
    runs.push(run(verdict, statement, state))
    return undefined
  }
  for (const earlier of runs) earlier.finish('42501')
  return verdict
}

/** COPY TO has no columns to mask by. */
function enforceable(ruling: Allowed, statement: Statement): Ruling {
  if (statement.copy !== 'out' || ruling.mask.empty) return ruling
  ruling.done({ rows: 0, bytes: 0, error: '42501' })
  const refusal = new Refusal('mask_impossible', 'COPY TO cannot be masked here', {
    remedy: 'Use SELECT instead of COPY.',
  })
  return { allowed: false, id: ruling.id, refusal }
}
