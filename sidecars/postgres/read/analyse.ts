import type { Node } from 'libpg-query'
import type { Command } from '../../../pdp/contract.ts'
import type { Catalogue } from '../../sql/catalogue.ts'
import { type Absent, facts, type SqlFacts } from '../../sql/facts.ts'
import { outputs } from '../../sql/lineage/output.ts'
import { begin } from '../lineage/begin.ts'
import type { Reading, Surroundings } from '../lineage/reading.ts'
import { type Outcome, statement } from './utility.ts'

/** One statement's facts, and what it means for the session. */
export type Analysis = {
  readonly command: Command
  readonly outcome: Outcome
  readonly absent: Absent | undefined
}

/** One statement as it is read. */
export type Source = {
  readonly node: Node
  readonly text: string
  readonly shape: string | undefined
}

/** All that is known of one parsed statement. Throws RangeError where it is too deep or too large to be walked. */
export function analyse({ node, text, shape }: Source, around: Surroundings): Analysis {
  const reading = start(around)
  const outcome = statement(reading, node)
  const answers = outcome.rows || outcome.copy === 'out'
  for (const { value } of outcome.columns ?? []) {
    if (answers) reading.facts.use(value.sources, value.copy ? 'output' : 'derived')
  }
  reading.settle()
  const shown = outcome.shows?.outputs ?? outputs(outcome.columns)
  const rest = { dialect: 'postgres', text, shape, outputs: answers ? shown : undefined }
  const command = reading.facts.command(outcome.name, rest)
  const { options } = outcome
  const absent = reading.facts.absent()
  if (options === undefined) return { command, outcome, absent }
  return {
    command: { ...command, sql: { ...(command['sql'] as SqlFacts), copy: options } },
    outcome,
    absent,
  }
}

/** Reads what is no part of any statement, such as the views of a catalogue. */
export function outside(catalogue: Catalogue): Reading {
  const none = () => undefined
  const { library } = catalogue
  return start({ catalogue, library, searchPath: [], prepared: none, cursor: none })
}

function start(around: Surroundings): Reading {
  return begin(facts(), around, (reading, node) => {
    const { columns, path } = statement(reading, node)
    if (path !== undefined) reading.facts.doubt('search_path is changed inside of something else')
    return columns
  })
}
