import type { Request } from 'express'
import { parse } from 'yaml'
import { invalid } from './error.ts'

const aliasesMax = 100
/** As many digits may be more than a double tells apart. */
const manyDigits = /\d{16}/

/** The body as a document; undefined when there is none. Throws OpaError. */
export function bodyDocument(request: Request): unknown {
  const body: unknown = request.body
  if (!(body instanceof Uint8Array) || body.length === 0) return undefined
  const yaml = /\byaml\b|\bx-yaml\b/.test(request.headers['content-type'] ?? '')
  return documentIn(Buffer.from(body).toString('utf8'), 'body', yaml)
}

/** The document in the parameter `input`; undefined when there is none. Throws OpaError. */
export function parameterDocument(request: Request): unknown {
  const text = request.query['input']
  if (text === undefined) return undefined
  if (typeof text !== 'string') throw invalid('parameter input is given more than once')
  return documentIn(text, 'parameter', false)
}

function documentIn(text: string, where: 'body' | 'parameter', yaml: boolean): unknown {
  const malformed = `${where} contains malformed input document`
  try {
    const document: unknown = yaml ? parse(text, { maxAliasCount: aliasesMax }) : json(text)
    return document ?? undefined
  } catch (error) {
    // What a parser says may quote what it was given.
    if (error instanceof RangeError) throw invalid(`${malformed}: ${error.message}`)
    throw invalid(`${malformed}: it is not valid ${yaml ? 'YAML' : 'JSON'}`)
  }
}

function json(text: string): unknown {
  return manyDigits.test(text) ? JSON.parse(text, exact) : JSON.parse(text)
}

/** A number that would arrive as another one is refused: the answer would be to another question. */
function exact(_name: string, value: unknown, ...[context]: readonly unknown[]): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value
  const source = String(Reflect.get(Object(context), 'source'))
  if (/^-?\d+$/.test(source)) throw new RangeError('an integer needs more than 53 bits')
  return value
}
