import type { Command, Refused } from '../../pdp/contract.ts'
import { Refusal } from '../../pdp/refusal.ts'
import type { Absent } from '../sql/facts.ts'
import type { Run } from './run.ts'
import type { Slot, State } from './state.ts'
import type { Statement } from './statement.ts'

/** A refusal, and the SQLSTATE that the server itself would have given where that says more. */
export type Declined = Refused & { readonly sqlstate?: string }

/**
 * Policy's own no is left as it is, whatever the statement names. Where nothing is wrong but a name that means nothing, it
 * gets the words and the SQLSTATE by which clients know that: no more than the reason in the refusal said already.
 */
export function declined(
  state: Declining,
  before: readonly Run[],
  { command, absent }: Pick<Statement, 'command' | 'absent'>,
  refused: Refused,
): Declined {
  const { code, detail } = refused.refusal
  if (code !== 'incomplete_command' || absent?.of !== command) return refused
  // Code looks names up when it comes to them, if it does.
  if (command.name === 'do') return refused
  if (before.some(defines) || mayBeThere(state) || isHidden(state, command)) return refused
  const { sqlstate, message, remedy } = words(absent.name)
  return {
    ...refused,
    refusal: new Refusal(code, message, { ...detail, remedy }),
    sqlstate,
  }
}

type Declining = Pick<State, 'defined' | 'shadowed' | 'doubt' | 'queue' | 'catalogue'>

/** This session may know more names than the catalogue: it defined some, or may have, and others do not see them yet. */
function mayBeThere({ defined, shadowed, doubt, queue }: Declining): boolean {
  return (
    defined > 0 || shadowed || doubt !== undefined || queue.some((one) => runs(one).some(defines))
  )
}

const relations = new Set([
  'table',
  'view',
  'materialized_view',
  'foreign_table',
  'sequence',
  'index',
])

/** The server tells nothing of what is in a schema that the login may not use, not even which columns there are. */
function isHidden({ catalogue }: Declining, { objects }: Command): boolean {
  const usable = [...catalogue.current().schemas]
  return objects.some(
    ({ kind, name }) =>
      relations.has(kind) && !usable.some((schema) => name.startsWith(`${schema}.`)),
  )
}

const defining: ReadonlySet<string> = new Set(['define', 'execute', 'unknown'])

const defines = ({ statement }: Run): boolean =>
  statement.command.effects.some((effect) => defining.has(effect))

function runs(slot: Slot): readonly Run[] {
  if (slot.kind === 'query') return slot.steps.map(({ run }) => run)
  return slot.kind === 'execute' && slot.run !== undefined ? [slot.run] : []
}

type Words = { readonly sqlstate: string; readonly message: string; readonly remedy: string }

/** As PostgreSQL says it (parse_relation.c, parse_func.c), with its SQLSTATE (appendix A). */
function words({ kind, name }: Absent): Words {
  const remedy = 'Look at the spelling, the schema and the search_path.'
  switch (kind) {
    case 'relation':
      return { sqlstate: '42P01', message: `relation "${name}" does not exist`, remedy }
    case 'source':
      return { sqlstate: '42P01', message: `missing FROM-clause entry for table "${name}"`, remedy }
    case 'column':
      return { sqlstate: '42703', message: `column "${name}" does not exist`, remedy }
    case 'function':
      return { sqlstate: '42883', message: `function ${name} does not exist`, remedy }
    case 'operator':
      return { sqlstate: '42883', message: `operator does not exist: ${name}`, remedy }
    case 'type':
      return { sqlstate: '42704', message: `type "${name}" does not exist`, remedy }
  }
}
