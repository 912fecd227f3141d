import { createRequire } from 'node:module'
import type { RawStmt } from 'libpg-query'
import { problem, STATEMENTS_MAX } from './limits.ts'
import { placeless } from './places.ts'

/** What the parser made of a text: its statements, or why it could not. */
export type Parsed = Trees | { readonly problem: string; readonly statements?: undefined }

/** Statements as trees that do not say where anything but a statement stands. */
export type Trees = {
  readonly statements: readonly RawStmt[]
  /** The same as JSON: equal texts are equal trees. */
  readonly json: string
  /** As the parser wrote it, with all places. */
  readonly placed: string
  readonly problem?: undefined
}

/** The functions we use of the WebAssembly module that libpg-query ships. Pointers are numbers. */
type Instance = {
  _malloc(bytes: number): number
  _free(pointer: number): void
  _wasm_parse_query_raw(query: number): number
  _wasm_free_parse_result(result: number): void
  _wasm_normalize_query(query: number): number
  _wasm_parse_plpgsql(query: number): number
  _wasm_free_string(text: number): void
  /** All memory; another one whenever it has grown. */
  readonly HEAPU8: Uint8Array
}

// libpg-query keeps its one instance to itself, and a broken one stays broken for everyone: we hold our own.
const load: () => Promise<Instance> = createRequire(import.meta.url)(
  'libpg-query/wasm/libpg-query.js',
)

let current: Instance | undefined
let broken = false
let spare: Instance | undefined

/** Resolves when texts can be parsed; before that every text is refused. */
export const ready: Promise<void> = refill().then(refill)

/** PostgreSQL's own parse of any text. Never throws. */
export function parsed(text: string): Parsed {
  const refused = problem(text)
  if (refused !== undefined) return { problem: refused }
  const found = parse(text)
  const count = found.statements?.length ?? 0
  return count > STATEMENTS_MAX
    ? { problem: `it has more than ${STATEMENTS_MAX} statements` }
    : found
}

/** The same of a text that `limits.problem` let through. */
export function parse(text: string): Parsed {
  const said = spoken(text)
  return said.problem === undefined ? trees(said.placed) : said
}

/** Takes in what the parser wrote, here or elsewhere. */
export function trees(placed: string): Trees {
  const json = placeless(placed)
  return { statements: listOf(json), json, placed }
}

/** The statements of a text with the places of everything in it, in bytes of UTF-8. */
export function parsePlaces(text: string): readonly RawStmt[] | undefined {
  const { placed } = spoken(text)
  return placed === undefined ? undefined : listOf(placed)
}

/** The statements in the parser's JSON. */
export const listOf = (json: string): readonly RawStmt[] =>
  (JSON.parse(json) as { readonly stmts?: readonly RawStmt[] }).stmts ?? []

/** JSON, or why there is none. */
export type Spoken =
  | { readonly placed: string; readonly problem?: undefined }
  | { readonly problem: string; readonly placed?: undefined }

/** What the parser writes of a text that `limits.problem` let through: JSON with the places of everything. */
export function spoken(text: string): Spoken {
  return using(text, (instance, query) => {
    const result = instance._wasm_parse_query_raw(query)
    try {
      const { buffer } = memory(instance)
      const error = buffer.readInt32LE(result + 8)
      if (error !== 0) return { problem: stringAt(instance, buffer.readInt32LE(error)) }
      return { placed: stringAt(instance, buffer.readInt32LE(result)) }
    } finally {
      instance._wasm_free_parse_result(result)
    }
  })
}

/** A text that was parsed before, with `$n` for each literal; the text itself where there are none. Undefined on failure. */
export function normalize(text: string): string | undefined {
  const shape = using(text, (instance, query) => {
    const result = instance._wasm_normalize_query(query)
    try {
      return { shape: stringAt(instance, result) }
    } finally {
      instance._wasm_free_string(result)
    }
  })
  // It answers an error by the error's text: a shape starts as its statement does.
  const start = text.match(/^\W*\w+/)?.[0] ?? ''
  return 'shape' in shape && shape.shape.startsWith(start) ? shape.shape : undefined
}

/** The tree of the PL/pgSQL function that a `CREATE FUNCTION` holds; undefined where it cannot be read. Never throws. */
export function parseProcedural(text: string): object | undefined {
  const tree = using(text, (instance, query) => {
    const result = instance._wasm_parse_plpgsql(query)
    try {
      const json = stringAt(instance, result)
      // An error comes as its text.
      return { tree: json.startsWith('{') ? (JSON.parse(json) as object) : undefined }
    } finally {
      instance._wasm_free_string(result)
    }
  })
  return 'tree' in tree ? tree.tree : undefined
}

/** Whether an instance ever had to be given up here: the memory it had is lost to this thread. */
export const hurt = (): boolean => broken

/** Whatever is thrown inside leaves the instance in an unknown state: it is never used again. */
function using<T>(text: string, use: (instance: Instance, query: number) => T): T | Failure {
  const instance = current
  if (instance === undefined) return { problem: 'the parser is being replaced, try again' }
  try {
    const bytes = Buffer.byteLength(text)
    const query = instance._malloc(bytes + 1)
    const { buffer } = memory(instance)
    buffer.write(text, query, bytes)
    buffer[query + bytes] = 0
    const answer = use(instance, query)
    instance._free(query)
    return answer
  } catch {
    broken = true
    current = spare
    spare = undefined
    void refill().catch(() => undefined)
    return { problem: 'the parser gave up' }
  }
}

type Memory = { readonly whole: Uint8Array; readonly buffer: Buffer }

const memories = new WeakMap<Instance, Memory>()

function memory(instance: Instance): Memory {
  const known = memories.get(instance)
  const whole = instance.HEAPU8
  if (known?.whole === whole) return known
  const made = { whole, buffer: Buffer.from(whole.buffer, whole.byteOffset, whole.length) }
  memories.set(instance, made)
  return made
}

/** A string of C. */
function stringAt(instance: Instance, pointer: number): string {
  const { buffer } = memory(instance)
  return buffer.toString('utf8', pointer, buffer.indexOf(0, pointer))
}

type Failure = { readonly problem: string }

async function refill(): Promise<void> {
  const instance = await load()
  if (current === undefined) current = instance
  else spare = instance
}
