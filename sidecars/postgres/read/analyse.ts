import type { Node } from 'libpg-query'
import type { Command } from '../../../pdp/contract.ts'
import { type Facts, facts, type SqlFacts } from '../../sql/facts.ts'
import { type Names, names } from '../../sql/names.ts'
import { expression } from './expression.ts'
import { query } from './query.ts'
import type { Reading, Surroundings } from './reading.ts'
import { outputs, settle } from './settle.ts'
import { type Outcome, statement } from './utility.ts'

/** One statement's facts, and what it means for the session. */
export type Analysis = { readonly command: Command; readonly outcome: Outcome }

export type Source = {
  readonly node: Node
  readonly text: string
  readonly shape: string | undefined
}

/** All that is known of one parsed statement. Throws RangeError where it is too deep to be walked. */
export function analyse({ node, text, shape }: Source, around: Surroundings): Analysis {
  const reading = begin(facts(), names(), around)
  const outcome = statement(reading, node)
  const settled = settle(reading)
  const shown = outcome.shows?.outputs ?? outputs(reading, outcome.columns, settled)
  const answers = outcome.rows || outcome.copy === 'out'
  const rest = { dialect: 'postgres', text, shape, outputs: answers ? shown : undefined }
  const command = reading.facts.command(outcome.name, rest)
  const { options } = outcome
  if (options === undefined) return { command, outcome }
  return {
    command: { ...command, sql: { ...(command['sql'] as SqlFacts), copy: options } },
    outcome,
  }
}

function begin(known: Facts, used: Names, around: Surroundings): Reading {
  const reading: Reading = {
    facts: known,
    names: used,
    around,
    opaque: false,
    query: (node, at) => query(reading, node, at),
    expression: (node, at) => expression(reading, node, at),
    apart: (other) => begin(other, used, around),
  }
  return reading
}
