import type { SqlFacts } from '../sql/facts.ts'
import type { Names } from './names.ts'
import type { Cursor, Prepared, State } from './state.ts'
import type { Statement } from './statement.ts'

/** Prepared statements one session may keep, and as many cursors and portals. */
const namesMax = 10_000
/** The same in bytes. */
const heldBytesMax = 64 * 1024 * 1024

/** Whether a session keeps as much as it may. The unnamed one replaces itself, and counts until the server has answered. */
export function isFull(names: Names<Prepared> | Names<Cursor>, name: string): boolean {
  if (name === '') return names.pendingBytes >= heldBytesMax
  return names.size >= namesMax || names.bytes >= heldBytesMax
}

/** Whether SQL's own PREPARE or DECLARE asks for more than a session may keep. */
export function asksTooMuch(state: State, statements: readonly Statement[]): boolean {
  return statements.some(({ names }) =>
    names.some(
      ({ kind, name }) =>
        (kind === 'prepare' && isFull(state.prepared, name)) ||
        (kind === 'declare' && isFull(state.cursors, name)),
    ),
  )
}

/** What a name takes in memory, about, in bytes. */
export const preparedBytes = ({ statements, text = '', upstream = '' }: Prepared): number =>
  statements.reduce((sum, one) => sum + bytesOf(one), charBytes * (text.length + upstream.length))

/** The same of a cursor or portal. */
export const cursorBytes = ({ statement, upstream = '' }: Cursor): number =>
  (statement === undefined ? entryBytes : bytesOf(statement)) + charBytes * upstream.length

const charBytes = 2
const entryBytes = 1024
/** One name, with whatever is said of it. */
const factBytes = 256
/** A tree takes several times what its text does. */
const treeFactor = 8

function bytesOf({ command, thin }: Statement): number {
  const { text = '', objects, outputs = [], predicates = [] } = command
  const { columns = [] } = (command['sql'] ?? {}) as Partial<SqlFacts>
  const facts = objects.length + outputs.length + predicates.length + columns.length
  // Its own text, its shape and the text that runs.
  const texts = text.length * charBytes * 3
  return entryBytes + facts * factBytes + texts + (thin === undefined ? 0 : texts * treeFactor)
}
