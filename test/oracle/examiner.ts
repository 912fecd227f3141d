/** Examines each statement of a session before it runs: the server's analyser and its own description against ours. */
import type { Output } from '../../pdp/contract.ts'
import { loadCatalogue } from '../../sidecars/postgres/catalogue.ts'
import { description, type Field } from '../../sidecars/postgres/rows.ts'
import { read, type Scope, type Statement } from '../../sidecars/postgres/statement.ts'
import type { Catalogue } from '../../sidecars/sql/catalogue.ts'
import { compared, serverUses } from './compare.ts'
import { planOf, unnamed } from './plan.ts'
import type { Listener, Talk } from './wiretap.ts'

/** What came out, over every statement. Only ever grows. */
export type Findings = {
  /** Statements the server analysed and we read. */
  compared: number
  identical: number
  superset: number
  /** Refused for not being understood, and those of them where a column was missing. */
  incomplete: number
  incompleteMissing: number
  readonly missing: string[]
  described: number
  outputsAbsent: number
  readonly contradictions: string[]
  /** Plans looked at, those with a relation that we do not name, and with fewer columns. */
  planned: number
  readonly unplanned: string[]
  readonly narrower: string[]
  read: number
  slowestMs: number
  slowest: string
  readonly threw: string[]
  /** Those that are a superset, for whoever wants fewer. */
  readonly supersets: string[]
  readonly incompletes: string[]
}

/** Starts with nothing found. */
export function findings(): Findings {
  return {
    compared: 0,
    identical: 0,
    superset: 0,
    incomplete: 0,
    incompleteMissing: 0,
    missing: [],
    described: 0,
    outputsAbsent: 0,
    contradictions: [],
    planned: 0,
    unplanned: [],
    narrower: [],
    read: 0,
    slowestMs: 0,
    slowest: '',
    threw: [],
    supersets: [],
    incompletes: [],
  }
}

/** What has to be there, once per database, before a session is examined. */
export const examinationSchema = `
create schema if not exists postern_oracle; grant all on schema postern_oracle to public;`

type Expected = { readonly statement: Statement; readonly catalogue: Catalogue }

const query = /^(?:\s|\(|--[^\n]*\n)*(?:select|with|values|table|insert|update|delete|merge)\b/i
/** What is looked at without being run; the query in it is examined instead. */
const around =
  /^\s*(?:explain\s*(?:\([^)]*\)|analyze|verbose|\s)*|declare\s+\S+\s[^;]*?\bcursor\b[^;]*?\bfor\b)/i
/** Changes nothing that a catalogue holds. */
const inert =
  /^\s*(?:explain|show|fetch|move|close|declare|set|reset|begin|start|savepoint|copy|end|commit|release|listen|notify)\b/i

const undone = /^\s*(?:rollback|abort)\b/i

/** A listener for one connection that adds to the findings. */
export function examiner(found: Findings): Listener {
  let catalogue: Catalogue | undefined
  let expected: Expected | undefined
  /** Something was defined that a rollback would take back. */
  let defined = false

  return {
    async before(text, talk) {
      expected = undefined
      const inner = text.replace(around, '')
      const readable =
        talk.setting('standard_conforming_strings') === 'on' &&
        talk.setting('client_encoding') === 'UTF8'
      if (readable && talk.status() !== 'E' && query.test(inner)) {
        await within(talk, () => examine(text, inner, talk))
      }
      follow(text)
    },
    answered(frame) {
      if (frame[0] === 0x54 && expected !== undefined) describe(found, expected, frame)
      if (frame[0] === 0x43 || frame[0] === 0x45) expected = undefined
    },
  }

  /** Whether the catalogue is still what it was after this text. */
  function follow(text: string): void {
    if (undone.test(text)) {
      if (defined) catalogue = undefined
      defined = false
    } else if (!query.test(text) && !inert.test(text)) {
      catalogue = undefined
      defined = true
    }
  }

  async function examine(text: string, inner: string, talk: Talk): Promise<void> {
    const fresh = catalogue === undefined
    catalogue ??= await catalogueOf(talk)
    let scope = scopeOf(catalogue, await searchPath(talk))
    let statements = timed(found, inner, scope)
    if (!fresh && statements.some(unknown)) {
      catalogue = await catalogueOf(talk)
      scope = scopeOf(catalogue, scope.searchPath)
      statements = timed(found, inner, scope)
    }
    const [statement, ...others] = statements
    if (statement === undefined || others.length > 0) return
    // Code that runs in it may define something.
    if (statement.command.effects.includes('execute')) {
      catalogue = undefined
      defined = true
    }
    if (inner === text) expected = { statement, catalogue: scope.catalogue }
    await plan(found, inner, { statement, catalogue: scope.catalogue }, talk)
    const tree = await analysed(inner, talk)
    if (tree !== undefined) weigh(found, inner, tree, { statement, catalogue: scope.catalogue })
  }
}

const unknown = (one: Statement): boolean =>
  one.command.incomplete?.includes('is not known') === true

function scopeOf(catalogue: Catalogue, path: readonly string[]): Scope {
  return { catalogue, searchPath: path, prepared: () => undefined, cursor: () => undefined }
}

/** Whatever we do is undone, in the session's own transaction or one of ours. */
async function within(talk: Talk, work: () => Promise<void>): Promise<void> {
  const nested = talk.status() === 'T'
  const begun = await talk.ask(nested ? 'savepoint postern_oracle' : 'begin')
  if (begun.error !== undefined) return
  await work()
  if (!nested) await talk.ask('rollback')
  else {
    await talk.ask('rollback to savepoint postern_oracle')
    await talk.ask('release savepoint postern_oracle')
  }
}

async function searchPath(talk: Talk): Promise<readonly string[]> {
  const { rows } = await talk.ask('select pg_catalog.to_json(pg_catalog.current_schemas(true))')
  return JSON.parse(rows[0]?.[0] ?? '[]') as string[]
}

/** The catalogue as this session and its open transaction see it. */
function catalogueOf(talk: Talk): Promise<Catalogue> {
  return loadCatalogue(async (sql) => {
    if (sql.startsWith('BEGIN') || sql === 'ROLLBACK') return []
    if (sql === 'COMMIT') return (await talk.ask('rollback to savepoint postern_catalogue')).rows
    if (sql.startsWith('SET LOCAL')) await talk.ask('savepoint postern_catalogue')
    const { rows, error } = await talk.ask(sql)
    if (error !== undefined) throw new Error(`the catalogue cannot be read: ${error}`)
    return rows
  })
}

/** The server's analysis of a statement as the body of a function; undefined where it may not stand there. */
async function analysed(inner: string, talk: Talk): Promise<string | undefined> {
  const body = inner.replace(/[;\s]*$/, '')
  const made = await talk.ask(
    `create function postern_oracle.f() returns void language sql begin atomic ${body}\n; end`,
  )
  if (made.error !== undefined) return undefined
  const { rows } = await talk.ask(
    `select prosqlbody from pg_catalog.pg_proc where pronamespace operator(pg_catalog.=) 'postern_oracle'::pg_catalog.regnamespace`,
  )
  return rows[0]?.[0] ?? undefined
}

/** The server's plan, which may leave relations out but never has one more than ours. */
async function plan(found: Findings, inner: string, ours: Expected, talk: Talk): Promise<void> {
  if (ours.statement.command.incomplete !== undefined) return
  await talk.ask('savepoint postern_plan')
  const { rows, error } = await talk.ask(
    `explain (verbose, costs off, format json) ${inner.replace(/[;\s]*$/, '')}`,
  )
  await talk.ask('rollback to savepoint postern_plan')
  const json = rows[0]?.[0]
  const told = error === undefined && typeof json === 'string' ? planOf(json) : undefined
  if (told === undefined) return
  found.planned += 1
  const more = unnamed(told, ours.statement.command, ours.catalogue)
  if (more.length > 0) found.unplanned.push(`${inner}\n  not ours: ${more.join(', ')}`)
  const { outputs = [] } = ours.statement.command
  // What is sorted or locked by is carried to the top as well.
  if (told.columns > 0 && told.columns < outputs.length)
    found.narrower.push(`${inner}\n  ${outputs.length} outputs, planned ${told.columns}`)
}

function timed(found: Findings, text: string, scope: Scope): readonly Statement[] {
  const start = performance.now()
  try {
    return read(text, scope)
  } catch (error) {
    found.threw.push(`${text}: ${String(error)}`)
    return []
  } finally {
    const tookMs = performance.now() - start
    found.read += 1
    if (tookMs > found.slowestMs) {
      found.slowestMs = tookMs
      found.slowest = text.slice(0, 200)
    }
  }
}

function weigh(found: Findings, text: string, tree: string, ours: Expected): void {
  const { command } = ours.statement
  const uses = serverUses(tree, ours.catalogue)
  const verdict = compared(uses, command, ours.catalogue)
  found.compared += 1
  if (command.incomplete !== undefined) {
    found.incomplete += 1
    found.incompletes.push(`${command.incomplete} | ${text}`)
    if (verdict.kind === 'missing') found.incompleteMissing += 1
  } else if (verdict.kind === 'missing') {
    found.missing.push(`${text}\n  not ours: ${verdict.missing.join(', ')}`)
  } else {
    found[verdict.kind] += 1
    if (verdict.kind === 'superset') found.supersets.push(text)
  }
}

/** The server's description of the answer: same names, and every origin among the sources. */
function describe(found: Findings, { statement, catalogue }: Expected, frame: Buffer): void {
  const fields = description(frame)
  const { outputs, incomplete, text } = statement.command
  found.described += 1
  if (outputs === undefined || incomplete !== undefined) {
    found.outputsAbsent += 1
    return
  }
  const wrong =
    outputs.length === fields.length
      ? fields.flatMap((field, index) => contradictions(field, outputs[index], catalogue))
      : [`${outputs.length} outputs, not ${fields.length}`]
  if (wrong.length > 0) found.contradictions.push(`${text}\n  ${wrong.join(', ')}`)
}

function contradictions(
  field: Field,
  output: Output | undefined,
  catalogue: Catalogue,
): readonly string[] {
  if (output === undefined) return []
  const named = output.name === field.name ? [] : [`output ${output.name} is ${field.name}`]
  const origin = field.number > 0 ? catalogue.column(field.tableOid, field.number) : undefined
  if (origin === undefined) return named
  const from = `${origin.relation}.${origin.column}`
  return output.sources.includes(from)
    ? named
    : [...named, `output ${output.name} comes from ${from}`]
}
