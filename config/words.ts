/** The smallest pieces that settings are made of, each with what to write instead. */
import { z } from 'zod'
import { isLoopback } from './loopback.ts'

export type SecretReference = z.output<typeof secret>

export const path = text('give a path', 4096)
export const name = text('give a name', 500)
export const id = pattern(
  /^[a-z][a-z0-9_-]{0,62}$/,
  'give a short name: a-z, 0-9, _ and -, a letter first',
)
export const serverTls = z.strictObject({ cert: path, key: path }, 'give { cert: file, key: file }')

/** Where a secret is; never the secret itself. */
export const secret = z.strictObject(
  {
    env: pattern(/^[A-Za-z_]\w{0,254}$/, 'give the name of an environment variable').optional(),
    file: path.optional(),
    command: z
      .array(name, 'give a list: the program, then its arguments')
      .min(1, 'give a list: the program, then its arguments')
      .max(100)
      .optional(),
  },
  'say where the secret is, never the secret itself: { env: NAME }, { file: path } or { command: [program, argument] }',
)

/** Any text up to a length. */
export function text(fix: string, max: number) {
  return z.string(fix).min(1, fix).max(max, fix)
}

/** A whole number. */
export function number(min: number, max: number, fix: string) {
  return z.int(fix).min(min, fix).max(max, fix)
}

/** Text of one form. */
export function pattern(form: RegExp, fix: string) {
  return z.string(fix).regex(form, fix)
}

/** Whether a URL is encrypted or stays on this machine, and holds no password. */
export function isSafe(url: URL | null): boolean {
  if (url === null || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}
