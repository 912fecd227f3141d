import type { Library } from '../sql/lineage/library.ts'
import type { Catalogue, Query } from './catalogue.ts'
import { loadLibrary } from './lineage/library.ts'

const kept = new WeakMap<Catalogue, Library>()

/** Reads what goes with a catalogue: types, and the texts of views. Rejects when it is too much. */
export async function withLibrary(query: Query, catalogue: Catalogue): Promise<Catalogue> {
  await query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  try {
    // Makes pg_get_viewdef qualify every name.
    await query('SET LOCAL search_path TO pg_catalog')
    kept.set(catalogue, await loadLibrary(query))
    await query('COMMIT')
    return catalogue
  } catch (error) {
    await query('ROLLBACK').catch(() => undefined)
    throw error
  }
}

/** What was read along with a catalogue. */
export function libraryOf(catalogue: Catalogue): Library | undefined {
  return kept.get(catalogue)
}
