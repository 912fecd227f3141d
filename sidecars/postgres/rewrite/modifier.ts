import type { Node } from 'libpg-query'
import type { Column } from '../../sql/catalogue.ts'

/** Bytes that lengths and precisions are counted up by, for the length word they once stood beside (VARHDRSZ). */
const header = 4

/** Types of pg_catalog whose modifier is a length or a precision, as it is. */
const plain = new Set(['bit', 'varbit', 'time', 'timetz', 'timestamp', 'timestamptz'])

/** How many characters a text of a column may have; undefined where any number. */
export function charactersMax({ modifier }: Pick<Column, 'modifier'>): number | undefined {
  return modifier === undefined ? undefined : modifier - header
}

/** What stands in parentheses after a type of pg_catalog; nothing where it has no limit or this gate does not know how to write it. */
export function modifiers(typeName: string, modifier: number | undefined): readonly Node[] {
  if (modifier === undefined) return []
  // An array's limit is that of its elements.
  const type = typeName.replace(/^_/, '')
  if (type === 'varchar' || type === 'bpchar') return [whole(modifier - header)]
  if (plain.has(type)) return [whole(modifier)]
  if (type === 'interval') return spans(modifier)
  if (type !== 'numeric') return []
  const packed = modifier - header
  // Eleven bits, with a sign (PostgreSQL 15, numeric.c).
  const scale = ((packed & 0x7ff) ^ 0x400) - 0x400
  return scale < 0 ? [] : [whole((packed >> 16) & 0xffff), whole(scale)]
}

/** Fields that are kept, and digits of seconds unless none were named (INTERVAL_TYPMOD). */
function spans(modifier: number): readonly Node[] {
  const [fields, digits] = [(modifier >> 16) & 0x7fff, modifier & 0xffff]
  return digits === 0xffff ? [whole(fields)] : [whole(fields), whole(digits)]
}

/** The parser leaves out what is zero. */
const whole = (ival: number): Node => ({ A_Const: { ival: ival === 0 ? {} : { ival } } })
