import type { Node } from 'libpg-query'
import { type Facts, facts } from '../../sql/facts.ts'
import type { Fields } from '../../sql/lineage/output.ts'
import { expression } from './expression.ts'
import { query } from './query.ts'
import type { Reading, Surroundings } from './reading.ts'
import { settle } from './settle.ts'

/** Reads statements of any kind. */
export type Statements = (reading: Reading, node: Node) => Fields

/** Starts reading a statement with nothing known; `statements` reads whole statements inside functions. */
export function begin(known: Facts, around: Surroundings, statements: Statements): Reading {
  const reading: Reading = {
    facts: known,
    around,
    reads: new Map(),
    lenient: false,
    grows: false,
    sets: undefined,
    unnamed: 0,
    steps: 0,
    query: (node, at) => query(reading, node, at),
    expression: (node, at) => expression(reading, node, at),
    statement: (node) => statements(reading, node),
    settle: () => settle(reading),
    fresh: (other) => begin(facts(), other, statements),
  }
  return reading
}
