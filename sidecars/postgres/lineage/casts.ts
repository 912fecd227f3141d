import type { TypeCast } from 'libpg-query'
import { computed, nothing, shaped, typed, type Value } from '../../sql/lineage/value.ts'
import { word } from '../read/ast.ts'
import { runsNamed } from './calls.ts'
import { type At, type Reading, use } from './reading.ts'
import { ofType, TEXT, typeOf, UNKNOWN, VARCHAR } from './types.ts'

const textTypes = new Set(['text', 'varchar'])

/** `value::type`. Nothing fails on becoming text; all else may, depending on the value. */
export function cast(reading: Reading, body: TypeCast, at: At): Value {
  const { typeName } = body
  const value = reading.expression(body.arg, at)
  const name = word(typeName?.names?.[typeName.names.length - 1])
  const target = typeOf(reading, typeName)
  for (const one of reading.around.catalogue.casts(name)) runsNamed(reading, one, [value])
  const whole =
    textTypes.has(name) && typeName?.typmods === undefined && typeName?.arrayBounds === undefined
  const own = target !== undefined && isRowOf(ofType(reading.around, nothing, target.oid), value)
  if (!whole && !own) use(reading, value, 'partial')
  const isText = [TEXT, VARCHAR, UNKNOWN].includes(value.type ?? 0)
  const kept = whole && isText ? value : computed(value)
  if (target === undefined) return kept
  if (kept === value) return typed(value, target.oid)
  const made = ofType(reading.around, kept, target.oid)
  // An array of another type holds what the first one held.
  const fields = made.fields?.length === value.fields?.length ? value.fields : undefined
  if (fields !== undefined) {
    const named = fields.map((one, i) => ({ ...one, name: made.fields?.[i]?.name ?? one.name }))
    return shaped({ ...computed(value), type: target.oid }, named, undefined)
  }
  return target.element !== 0 && made.element === undefined && value.element !== undefined
    ? shaped(made, undefined, value.element)
    : made
}

/** A row becomes a row of the same types without a chance to fail. */
function isRowOf({ fields }: Value, value: Value): boolean {
  return (
    fields !== undefined &&
    fields.length === value.fields?.length &&
    fields.every((one, i) => one.value.type === value.fields?.[i]?.value.type)
  )
}
