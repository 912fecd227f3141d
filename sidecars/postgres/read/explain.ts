import type { ExplainStmt, Node } from 'libpg-query'
import type { Command } from '../../../pdp/contract.ts'
import type { Absent, SqlFacts } from '../../sql/facts.ts'
import { computed, copyOf } from '../../sql/lineage/value.ts'
import type { Reading } from '../lineage/reading.ts'
import { as, literal } from './ast.ts'
import type { Outcome } from './utility.ts'

/** Reads a statement inside another. */
type Inner = (reading: Reading, node: Node) => Outcome

/** EXPLAIN shows a plan and runs nothing; EXPLAIN ANALYZE runs it all. */
export function explain(reading: Reading, body: ExplainStmt, statement: Inner): Outcome {
  const { facts } = reading
  facts.kind('explain')
  facts.effect('read')
  const outcome = { name: 'explain', rows: true, columns: undefined }
  if (body.query === undefined) return outcome
  const plan = reading.fresh(reading.around)
  const inner = statement(plan, body.query)
  plan.settle()
  if (inner.path !== undefined) facts.doubt('search_path is changed inside of EXPLAIN')
  const command = plan.facts.command(inner.name, { dialect: '', text: '' })
  const options = body.options ?? []
  if (options.some(analyzes)) {
    facts.kind('explain_analyze')
    facts.absorb(command, plan.facts.absent())
  } else planned(reading, command, plan.facts.absent())
  const columns = options.every(isPlain)
    ? [{ name: 'QUERY PLAN', value: shown(command, reading) }]
    : undefined
  return { ...outcome, columns, ...(inner.needs === undefined ? {} : { needs: inner.needs }) }
}

/** What would be written is only looked at. Planning already runs functions, so these count. */
function planned({ facts }: Reading, command: Command, absent: Absent | undefined): void {
  const effects = command.effects.filter((one) => one === 'execute')
  const objects = command.objects.map((one) => ({ ...one, access: 'read' as const }))
  const { columns = [] } = command['sql'] as SqlFacts
  for (const { name, roles } of columns) for (const role of roles) facts.use([name], role)
  facts.absorb({ ...command, effects, objects, sql: undefined, predicates: [] }, absent)
}

/**
 * A plan is chosen and its rows, widths and costs are guessed from statistics of every column the statement looks at, and
 * of no other: what is only written comes from elsewhere. Tables as such have a size, which anyone may see.
 */
function shown(command: Command, { around }: Reading) {
  const { columns = [] } = command['sql'] as SqlFacts
  const used = columns.filter(({ roles }) => roles.some((role) => role !== 'written_to'))
  const read = command.objects.flatMap(({ kind, name, access, columns: own = [] }) => {
    // Rows of these are fetched whole.
    const whole = kind === 'foreign_table' || (kind === 'view' && access === 'write')
    const list = whole ? all(name) : access === 'read' ? own : []
    return list.map((column) => `${name}.${column}`)
  })
  return computed(copyOf([...used.map(({ name }) => name), ...read]))

  function all(full: string): readonly string[] {
    const dot = full.indexOf('.')
    const known = around.catalogue.relation(full.slice(dot + 1), full.slice(0, dot), [])
    return known?.columns.map((column) => column.name) ?? []
  }
}

/** Options that show nothing of the rows themselves; WAL, for one, tells how long they are. */
const plain = new Set(
  'analyze verbose costs settings generic_plan buffers timing summary format'.split(' '),
)

const isPlain = (option: Node): boolean => plain.has(as(option, 'DefElem')?.defname ?? '')

function analyzes(option: Node): boolean {
  const element = as(option, 'DefElem')
  if (element?.defname !== 'analyze') return false
  const value = as(element.arg, 'String')?.sval ?? literal(element.arg)
  const number = as(element.arg, 'Integer')
  if (number !== undefined) return (number.ival ?? 0) !== 0
  return value !== 'false' && value !== 'off'
}
