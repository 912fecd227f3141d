/** Values as the text that `opa_value_parse` reads and `opa_value_dump` writes: JSON plus set literals. */
import { integer, isArray, isObject, isSet, put, type Value } from './value.ts'

/** Writes a value as text; strings become well-formed. Throws on a number that has no text. */
export function print(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value.toWellFormed())
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('not a finite number')
  if (value === null || typeof value !== 'object') return String(value === 0 ? 0 : value)
  if (isArray(value)) return `[${value.map(print).join()}]`
  if (isSet(value)) return value.size === 0 ? 'set()' : `{${[...value].map(print).join()}}`
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  return `{${members.map(([key, member]) => `${print(key)}:${print(member)}`).join()}}`
}

/** Reads what `print` or `opa_value_dump` wrote. Throws on anything else. */
export function parse(text: string): Value {
  let at = 0
  const value = any()
  if (at !== text.length) throw new Error('text goes on after the value')
  return value

  function any(): Value {
    while (text[at] === ' ') at++
    const found = text[at]
    if (found === '"') return string()
    if (found === '[') return list('[', ']')
    if (found === '{') return braces()
    if (text.startsWith('set()', at)) {
      at += 5
      return new Set()
    }
    return word()
  }

  function word(): Value {
    const start = at
    while (at < text.length && !',:]}'.includes(text.charAt(at))) at++
    const token = text.slice(start, at)
    if (token === 'true') return true
    if (token === 'false') return false
    if (token === 'null') return null
    return numeric(token)
  }

  function string(): string {
    const start = at++
    while (text[at] !== '"') {
      if (at >= text.length) throw new Error('a string does not end')
      at += text[at] === '\\' ? 2 : 1
    }
    at++
    return JSON.parse(text.slice(start, at)) as string
  }

  function list(open: string, close: string): Value[] {
    const found: Value[] = []
    expect(open)
    while (text[at] !== close) {
      if (found.length > 0) expect(',')
      found.push(any())
    }
    at++
    return found
  }

  /** An object, or a set: what follows the first element tells. */
  function braces(): Value {
    if (text[at + 1] === '}') {
      at += 2
      return {}
    }
    const start = at++
    any()
    const isMember = text[at] === ':'
    at = start
    return isMember ? object() : new Set(list('{', '}'))
  }

  function object(): Value {
    const found: Record<string, unknown> = {}
    do {
      at++
      const key = any()
      expect(':')
      put(found, typeof key === 'string' ? key : print(key), any())
    } while (text[at] === ',')
    expect('}')
    return found as { readonly [key: string]: Value }
  }

  function expect(token: string): void {
    if (text[at] !== token) throw new Error(`expected ${token}`)
    at++
  }
}

/** Reads a number's text: integers exactly, everything else as a double. */
export function numeric(text: string): number | bigint {
  if (/^-?\d+$/.test(text)) return text.length < 16 ? Number(text) : integer(BigInt(text))
  if (!/^-?\d[\d.]*([eE][+-]?\d+)?$/.test(text)) throw new Error('not a number')
  return Number(text)
}

/** A value as plain JSON: sets become arrays, wide integers the nearest double. */
export function plain(value: Value): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (isArray(value) || isSet(value)) return [...value].map(plain)
  if (!isObject(value)) return value
  const copy: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(value)) put(copy, key, plain(member))
  return copy
}
