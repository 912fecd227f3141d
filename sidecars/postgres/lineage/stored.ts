import type { Fields } from '../../sql/lineage/output.ts'
import { type Reading, use } from './reading.ts'

/** What a query shows is stored elsewhere, where it can be read: all of it decides. */
export function stored(reading: Reading, columns: Fields): void {
  if (columns === undefined && !reading.lenient) reading.facts.doubt('what is stored is not known')
  for (const { value } of columns ?? []) use(reading, value, 'written_from')
}
