import { parseAllDocuments, stringify } from 'yaml'
import { members, sorted } from '../order.ts'
import { numeric, plain } from '../text.ts'
import { isArray, isSet, type Value } from '../value.ts'
import { type Builtins, object, pure, string } from './operands.ts'

const aliasesMax = 100

/** `json.is_valid`, `yaml.*` and `urlquery.*`. */
export const encoding: Builtins = {
  'json.is_valid': pure((text) => typeof text === 'string' && succeeds(() => json(text))),
  'yaml.is_valid': pure((text) => typeof text === 'string' && succeeds(() => yaml(text))),
  'yaml.unmarshal': pure((text) => yaml(string(text))),
  'yaml.marshal': pure((value) =>
    stringify(plain(value ?? null), {
      version: '1.1',
      indentSeq: false,
      sortMapEntries: true,
      lineWidth: 0,
      aliasDuplicateObjects: false,
    }),
  ),
  'urlquery.encode': pure((text) => escaped(string(text))),
  'urlquery.decode': pure((text) => unescaped(string(text))),
  'urlquery.encode_object': pure((value) =>
    members(object(value))
      .flatMap(([name, found]) =>
        texts(found).map((text) => `${escaped(string(name))}=${escaped(text)}`),
      )
      .join('&'),
  ),
  'urlquery.decode_object': pure((text) => query(string(text))),
}

/** JSON with integers of any width. Throws on anything else. */
export function json(text: string): Value {
  const exact = (_: string, value: unknown, at?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? numeric(at?.source ?? String(value)) : value
  return JSON.parse(text, exact) as Value
}

/** One YAML document that means the same under YAML 1.1, which Go reads, and 1.2. Throws on anything else. */
function yaml(text: string): Value {
  const [old, current] = (['1.1', '1.2'] as const).map((version) => {
    const documents = parseAllDocuments(text, { version, intAsBigInt: true, merge: true })
    const [document, ...others] = 'empty' in documents ? [] : documents
    if (document === undefined) return null
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined || others.length > 0) throw new Error('not one valid YAML document')
    return document.toJS({ maxAliasCount: aliasesMax }) as unknown
  })
  const [first, second] = [jsonOf(old), jsonOf(current)]
  if (first !== second) throw new Error('the YAML means different things in YAML 1.1 and 1.2')
  return json(first)
}

function jsonOf(value: unknown): string {
  const raw = JSON as unknown as { rawJSON(text: string): unknown }
  const text = JSON.stringify(value, (_, member: unknown) => {
    if (typeof member === 'bigint') return raw.rawJSON(String(member))
    if (typeof member === 'number' && !Number.isFinite(member))
      throw new Error('not a finite number')
    if (member instanceof Date) throw new Error('a timestamp has no JSON form')
    return member
  })
  return text ?? 'null'
}

function succeeds(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}

function texts(value: Value | undefined): readonly string[] {
  if (value !== undefined && isSet(value)) return sorted(value).map(string)
  return value !== undefined && isArray(value) ? value.map(string) : [string(value)]
}

function query(text: string): Value {
  const found = new Map<string, string[]>()
  for (const pair of text.split('&')) {
    if (pair.includes(';')) throw new Error('a semicolon does not separate parameters')
    if (pair === '') continue
    const [, name = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(pair) ?? []
    const values = found.get(unescaped(name)) ?? []
    found.set(unescaped(name), [...values, unescaped(value)])
  }
  return Object.fromEntries(found)
}

function escaped(text: string): string {
  const encoded = encodeURIComponent(text.toWellFormed())
  return encoded
    .replace(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}

function unescaped(text: string): string {
  if (/%(?![\da-fA-F]{2})/.test(text))
    throw new Error('a percent sign is not followed by two digits')
  return text
    .replaceAll('+', ' ')
    .replace(/(?:%[\da-fA-F]{2})+/g, (run) =>
      Buffer.from(run.replaceAll('%', ''), 'hex').toString(),
    )
}
