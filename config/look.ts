/** Looking at settings as they were written, whatever was written. */
import { addressOf, isLoopback } from './loopback.ts'

/** A mistake before its line is known. */
export type Finding = {
  readonly path: readonly (string | number)[]
  readonly problem: string
  readonly fix: string
}

export type Fields = Readonly<Record<string, unknown>>
export type Path = readonly (string | number)[]

/** A secret is in exactly one place. */
export function secretFindings(secret: unknown, path: Path): readonly Finding[] {
  if (!isFields(secret)) return []
  return oneOf(fields(secret), ['env', 'file', 'command'], path, 'give env, file or command')
}

/** Exactly one of these settings is there. */
export function oneOf(
  given: Fields,
  names: readonly string[],
  path: Path,
  fix: string,
): readonly Finding[] {
  const found = names.filter((name) => given[name] !== undefined)
  if (found.length === 1) return []
  const problem =
    found.length === 0 ? `has none of ${names.join(', ')}` : `has ${found.join(' and ')} at once`
  return [{ path, problem, fix: found.length === 0 ? fix : 'keep one of them' }]
}

/** Whether an address to listen on can only be reached from this machine; what is no address is reported as such. */
export function isLocal(listen: unknown): boolean {
  return typeof listen !== 'string' || !listen.includes(':') || isLoopback(addressOf(listen).host)
}

/** A finding under a condition. */
export function when(
  condition: boolean,
  finding: Finding | (() => readonly Finding[]),
): readonly Finding[] {
  if (!condition) return []
  return typeof finding === 'function' ? finding() : [finding]
}

/** Whether it is a group of settings. */
export function isFields(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The group of settings, or an empty one. */
export function fields(value: unknown): Fields {
  return isFields(value) ? { ...(value as Fields) } : {}
}

/** The list, or an empty one. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
