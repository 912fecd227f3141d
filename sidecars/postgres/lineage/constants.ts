import type { A_Const } from 'libpg-query'
import { nothing, typed, type Value } from '../../sql/lineage/value.ts'
import { BOOL, INT4, INT8, NUMERIC, UNKNOWN } from './types.ts'

const ofInteger = typed(nothing, INT4)
const ofBigint = typed(nothing, INT8)
const ofNumber = typed(nothing, NUMERIC)
const ofBoolean = typed(nothing, BOOL)
const ofNothing = typed(nothing, UNKNOWN)

/** The type of a literal, which tells functions of one name apart (documentation 4.1.2). */
export function constant(body: A_Const): Value {
  if (body.ival !== undefined) return ofInteger
  if (body.boolval !== undefined) return ofBoolean
  if (body.fval !== undefined) return isBigint(body.fval.fval ?? '') ? ofBigint : ofNumber
  if (body.bsval !== undefined) return nothing
  return ofNothing
}

/** Whole numbers that an int4 cannot hold come as floats. */
function isBigint(text: string): boolean {
  return /^\d{1,18}$/.test(text)
}
