import type { Allowed, Asking, Mask } from '../../../pdp/contract.ts'
import { Refusal } from '../../../pdp/refusal.ts'
import type { SqlFacts } from '../../sql/facts.ts'
import type { Run } from '../run.ts'
import type { State } from '../state.ts'
import type { Statement } from '../statement.ts'
import { ownValues } from './own.ts'
import { planOf } from './plan.ts'
import { unchanged } from './same.ts'
import { type Rewritten, sealedText } from './text.ts'

/**
 * The statement as it may run under this ruling: with the text that goes upstream in its place, rewritten where policy
 * seals it or filters rows. `before` are the statements ahead of it in the same message. Throws Refusal.
 */
export function sealed(
  state: State,
  statement: Statement,
  { ruling, asking, before }: Allowance,
): Statement {
  const { mask, obligations } = ruling
  ownValues(statement, mask, asking.parameters ?? [])
  const plan = planOf(obligations)
  if (plan === undefined || statement.command.name === 'empty') return writable(statement)
  if (plan.sealed && state.session.profile !== 'sealed')
    throw new Refusal(
      'unsupported_obligation',
      'policy seals this, and the session is not sealed',
      {
        remedy: 'Connect again.',
      },
    )
  if (plan.filters.size > 0) onlyKnownCode(statement)
  const made = (one: Statement): Rewritten =>
    told(state, ruling, () => sealedText(state, one, mask, plan))
  for (const name of statement.needs) unchanged(state, name, before, made)
  return plan.sealed
    ? shielded(statement, made(statement), mask)
    : { ...statement, upstream: made(statement).text }
}

function writable(statement: Statement): Statement {
  const { unwritable } = statement
  if (unwritable === undefined) return statement
  throw new Refusal('mask_impossible', unwritable, { remedy: 'Write the statement another way.' })
}

/** What policy asks for and the gate cannot do, such as sealing with a login that may read too much, is for those who watch it, too. */
function told(state: State, { id }: Allowed, make: () => Rewritten): Rewritten {
  try {
    return make()
  } catch (error) {
    if (error instanceof Refusal && error.code === 'unsupported_obligation')
      state.alarm(error.message, id)
    throw error
  }
}

export type Allowance = {
  readonly ruling: Allowed
  readonly asking: Asking
  readonly before: readonly Run[]
}

/**
 * What the answer comes from is told by the text that runs, in which nothing protected is left. What runs something
 * prepared answers from that, which was rewritten for the same masks.
 */
function shielded(statement: Statement, { text, outputs }: Rewritten, mask: Mask): Statement {
  const { outputs: before, ...command } = statement.command
  const rest = before?.map((one) => ({
    ...one,
    sources: one.sources.filter((source) => mask.column(source) === undefined),
  }))
  const told = statement.needs.length > 0 ? rest : outputs
  return { ...statement, command: { ...command, ...(told && { outputs: told }) }, upstream: text }
}

const knownCode = new Set(['pure', 'listed', 'acting', 'trigger'])

/** Functions may read rows that are filtered, and nothing but the filter keeps them back. Throws Refusal. */
function onlyKnownCode({ command }: Statement): void {
  const functions = (command['sql'] as SqlFacts | undefined)?.functions ?? []
  const other = functions.find((one) => !knownCode.has(one.class))
  if (other === undefined && command.incomplete === undefined) return
  throw new Refusal(
    'mask_impossible',
    `rows cannot be filtered: ${other === undefined ? command.incomplete : `${other.name} may read others`}`,
  )
}
