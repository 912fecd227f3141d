import type { A_Indices, A_Indirection, Node } from 'libpg-query'
import { alsoFrom, anything, computed, type Value } from '../../sql/lineage/value.ts'
import { open } from '../read/ast.ts'
import type { At, Reading } from './reading.ts'
import { field } from './reference.ts'

/** Fields, elements and slices of a value. */
export function indirection(reading: Reading, body: A_Indirection, at: At): Value {
  let value = reading.expression(body.arg, at)
  for (const one of body.indirection ?? []) value = inside(reading, value, one, at)
  return value
}

function inside(reading: Reading, value: Value, node: Node, at: At): Value {
  const opened = open(node)
  switch (opened?.kind) {
    case 'String':
      return field(reading, value, opened.body.sval ?? '')
    case 'A_Indices':
      return indexed(reading, value, opened.body, at)
  }
  reading.facts.doubt('a row is spread where one value stands')
  return anything
}

/** Which element it is tells of the index. */
function indexed(reading: Reading, value: Value, body: A_Indices, at: At): Value {
  const indices = [body.lidx, body.uidx].map((one) => reading.expression(one, at))
  const picked = body.is_slice ? value : (value.element ?? computed(value))
  return alsoFrom(picked, ...indices)
}
