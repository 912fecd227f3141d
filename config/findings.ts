import { z } from 'zod'
import { meant } from '../pdp/commands/io.ts'
import { pathText } from './cross.ts'
import type { Finding } from './look.ts'

type Path = readonly (string | number)[]

// A value under one of these names may be a secret that was written where only its place belongs.
const sensitive = new Set(['secret', 'credential', 'sealed_credential', 'masking', 'auth'])
const harmless = /^[\w./:[\]-]{1,40}$/

/** What the schema objects to, in the words of a person. */
export function schemaFindings(
  error: z.core.$ZodError,
  raw: unknown,
  schema: z.ZodType,
): readonly Finding[] {
  const findings = error.issues.flatMap((issue) => {
    const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => unknown(key, path, schema))
    if (issue.code === 'invalid_key') {
      const fix = issue.issues[0]?.message ?? 'give another name'
      return [{ path, problem: 'is not a name that can be used here', fix }]
    }
    return [{ path, problem: wrong(valueAt(raw, path), path), fix: issue.message }]
  })
  return findings.filter(
    ({ path }, index) =>
      findings.findIndex((other) => pathText(other.path) === pathText(path)) === index,
  )
}

function unknown(key: string, path: Path, schema: z.ZodType): Finding {
  const known = namesAt(schema, path)
  const near = meant(key, known)
  const fix = near === undefined ? `use ${known.join(', ')}` : `did you mean ${near}?`
  return { path: [...path, key], problem: 'is not a setting', fix }
}

function namesAt(schema: z.ZodType, path: Path): readonly string[] {
  const inner = bare(schema)
  const [step, ...rest] = path
  if (inner instanceof z.ZodObject) {
    const shape: Readonly<Record<string, z.ZodType>> = inner.shape
    const next = step === undefined ? undefined : shape[step]
    return next === undefined ? Object.keys(shape) : namesAt(next, rest)
  }
  return inner instanceof z.ZodArray ? namesAt(inner.element as z.ZodType, rest) : []
}

function bare(schema: z.ZodType): z.ZodType {
  const wrapped =
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  return wrapped ? bare(schema.unwrap() as z.ZodType) : schema
}

function wrong(value: unknown, path: Path): string {
  if (value === undefined) return 'is missing'
  if (value === null) return 'is empty'
  if (Array.isArray(value)) return value.length === 0 ? 'is an empty list' : 'is a list'
  if (typeof value === 'object') return 'is a group of settings'
  const shown = !path.some((part) => sensitive.has(String(part))) && harmless.test(String(value))
  return shown ? `is ${JSON.stringify(value)}` : `is not a ${typeof value} that fits`
}

function valueAt(raw: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined,
    raw,
  )
}
