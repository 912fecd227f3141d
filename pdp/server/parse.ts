import type { ZodType } from 'zod'
import { Refusal } from '../refusal.ts'

/** Turns what a client sent into the type `schema` promises. Throws Refusal naming every field, never its value. */
export function parsed<Value>(schema: ZodType<Value>, sent: unknown): Value {
  const result = schema.safeParse(sent)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => {
    const path = issue.path.join('.')
    return path === '' ? issue.message : `${path}: ${issue.message}`
  })
  throw new Refusal('bad_request', problems.join('; '))
}
