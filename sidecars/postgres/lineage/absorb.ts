import type { Command, Effect } from '../../../pdp/contract.ts'
import type { SqlFacts } from '../../sql/facts.ts'
import type { Reading } from './reading.ts'
import { useInside } from './views.ts'

/** What code does, the statement does that runs it; what it only looks at stays inside. */
export function absorb({ facts }: Reading, command: Command): void {
  const sql = command['sql'] as SqlFacts
  facts.effect(...command.effects.filter((one): one is Effect => one !== 'unknown'))
  for (const one of command.objects) facts.touch(one.kind, one.name, one.access, one.columns)
  for (const kind of sql.kinds) if (kind !== 'select') facts.kind(kind)
  for (const one of sql.functions) facts.call(one.name, one.class)
  if (sql.triggers) facts.flag('triggers')
  if (command.incomplete !== undefined) facts.doubt(command.incomplete)
  useInside(facts, sql.columns ?? [])
}
