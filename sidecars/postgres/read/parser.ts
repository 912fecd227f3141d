import { createRequire } from 'node:module'
import type { RawStmt } from 'libpg-query'
import { problem, STATEMENTS_MAX } from './limits.ts'

/** What the parser made of a text: its statements, or why it could not. */
export type Parsed =
  | { readonly statements: readonly RawStmt[]; readonly problem?: undefined }
  | { readonly problem: string; readonly statements?: undefined }

/** The functions we use of the WebAssembly module that libpg-query ships. Pointers are numbers. */
type Instance = {
  _malloc(bytes: number): number
  _free(pointer: number): void
  _wasm_parse_query_raw(query: number): number
  _wasm_free_parse_result(result: number): void
  _wasm_normalize_query(query: number): number
  _wasm_parse_plpgsql(query: number): number
  _wasm_free_string(text: number): void
  getValue(pointer: number, type: 'i32'): number
  lengthBytesUTF8(text: string): number
  stringToUTF8(text: string, pointer: number, bytes: number): void
  UTF8ToString(pointer: number): string
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
  return using(text, (instance, query) => {
    const result = instance._wasm_parse_query_raw(query)
    try {
      const error = instance.getValue(result + 8, 'i32')
      if (error !== 0) return { problem: instance.UTF8ToString(instance.getValue(error, 'i32')) }
      const tree = JSON.parse(instance.UTF8ToString(instance.getValue(result, 'i32')))
      return { statements: (tree as { stmts?: readonly RawStmt[] }).stmts ?? [] }
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
      return { shape: instance.UTF8ToString(result) }
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
      const json = instance.UTF8ToString(result)
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
    const bytes = instance.lengthBytesUTF8(text) + 1
    const query = instance._malloc(bytes)
    instance.stringToUTF8(text, query, bytes)
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

type Failure = { readonly problem: string }

async function refill(): Promise<void> {
  const instance = await load()
  if (current === undefined) current = instance
  else spare = instance
}
