import type { Node } from 'libpg-query'
import { parse, spoken, type Trees } from '../read/parser.ts'
import { placeless, sameJson } from '../read/places.ts'
import { sameTree } from './tree.ts'
import { written } from './writer.ts'

/** One text that means exactly a tree, or why there is none. */
export type Canonical =
  | { readonly text: string; readonly problem?: undefined }
  | { readonly problem: string; readonly text?: undefined }

/** The same with what the parser made of the text. */
export type Reread =
  | { readonly text: string; readonly trees: Trees; readonly problem?: undefined }
  | { readonly problem: string; readonly text?: undefined }

/** Writes a statement out so that PostgreSQL's parser reads the very same tree from it. Never throws. */
export function canonical(statement: Node): Canonical {
  const { text, problem } = reread(statement)
  return text === undefined ? { problem } : { text }
}

/** The same, for whoever has to look at what is written. */
export function reread(statement: Node): Reread {
  try {
    const text = written(statement)
    const again = parse(text)
    if (again.statements === undefined) return unwritable(again.problem)
    const [only, ...others] = again.statements
    if (only === undefined || others.length > 0) return unwritable('it became several statements')
    if (!sameTree(only.stmt, statement)) return unwritable('it would mean something else')
    return { text, trees: again }
  } catch {
    return unwritable('its form is not known')
  }
}

/** The same of a statement just as it was parsed: one that stands alone is compared without reading it a second time. */
export function writtenOut(statement: Node, { statements, json }: Trees): Canonical {
  if (statements.length > 1) return canonical(statement)
  try {
    const text = written(statement)
    const { placed } = spoken(text)
    if (placed !== undefined && sameJson(placeless(placed), json)) return { text }
  } catch {
    return unwritable('its form is not known')
  }
  return canonical(statement)
}

function unwritable(why: string): { readonly problem: string } {
  return { problem: `the statement cannot be written out again: ${why}` }
}
