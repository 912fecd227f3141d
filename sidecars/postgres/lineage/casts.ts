import type { TypeCast } from 'libpg-query'
import { computed, isNothing, nothing, shaped, typed, type Value } from '../../sql/lineage/value.ts'
import { word } from '../read/ast.ts'
import { castsTo } from './calls.ts'
import { type At, type Reading, use } from './reading.ts'
import { checked } from './standing.ts'
import { ofType, TEXT, typeOf, UNKNOWN, VARCHAR } from './types.ts'

const textTypes = new Set(['text', 'varchar'])

/** `value::type`. Nothing fails on becoming text; all else may, depending on the value. */
export function cast(reading: Reading, body: TypeCast, at: At): Value {
  const { typeName } = body
  const value = reading.expression(body.arg, at)
  const name = word(typeName?.names?.[typeName.names.length - 1])
  const target = typeOf(reading, typeName)
  const made = castsTo(reading, name, value)
  const whole =
    textTypes.has(name) && typeName?.typmods === undefined && typeName?.arrayBounds === undefined
  const own = target !== undefined && isRowOf(ofType(reading.around, nothing, target.oid), value)
  if (!whole && !own) use(reading, value, 'partial')
  const isText = [TEXT, VARCHAR, UNKNOWN].includes(value.type ?? 0)
  const kept = whole && isText && isNothing(made) ? value : computed(value, made)
  if (target === undefined) return kept
  checked(reading, target.oid, value)
  if (kept === value) return typed(value, target.oid)
  const shape = ofType(reading.around, kept, target.oid)
  // An array of another type holds what the first one held.
  const same = isNothing(made) && shape.fields?.length === value.fields?.length
  const fields = same ? value.fields : undefined
  if (fields !== undefined) {
    const named = fields.map((one, i) => ({ ...one, name: shape.fields?.[i]?.name ?? one.name }))
    return shaped({ ...computed(value, made), type: target.oid }, named, undefined)
  }
  return target.element !== 0 && shape.element === undefined && value.element !== undefined
    ? shaped(shape, undefined, value.element)
    : shape
}

/** A row becomes a row of the same types without a chance to fail. */
function isRowOf({ fields }: Value, value: Value): boolean {
  return (
    fields !== undefined &&
    fields.length === value.fields?.length &&
    fields.every((one, i) => one.value.type === value.fields?.[i]?.value.type)
  )
}
