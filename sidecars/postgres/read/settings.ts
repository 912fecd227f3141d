/** What a setting may be given; `true` is anything. */
type Allowed = true | ((value: string) => boolean)

const oneOf =
  (...values: readonly string[]): Allowed =>
  (value) =>
    values.includes(value.toLowerCase())

/** Settings that leave the meaning and the reach of later statements alone. Everything else is refused by default. */
const harmless = new Map<string, Allowed>([
  ['application_name', true],
  ['datestyle', true],
  ['timezone', true],
  ['intervalstyle', true],
  ['extra_float_digits', true],
  ['statement_timeout', true],
  ['lock_timeout', true],
  ['idle_in_transaction_session_timeout', true],
  ['bytea_output', true],
  ['jit', true],
  // Below `notice` the server prints parse trees and plans with the constants in them.
  ['client_min_messages', oneOf('notice', 'warning', 'error')],
  ['client_encoding', oneOf('utf8', 'utf-8', 'unicode')],
  ['standard_conforming_strings', oneOf('on', 'true', 'yes', '1')],
])

/** Whoever these name is who later statements run as. */
const identities = new Set(['role', 'session_authorization', 'session authorization'])

export type SettingJudgement = {
  readonly name: string
  readonly grant: boolean
  readonly doubt?: string
}

/** What setting `name` means; `value` is undefined for a default or where the statement does not say it as a literal. */
export function judgeSetting(name: string, value: string | undefined): SettingJudgement {
  const lower = name.toLowerCase()
  const allowed = harmless.get(lower)
  if (identities.has(lower)) {
    return { name: lower, grant: true, doubt: `${lower} changes who later statements run as` }
  }
  if (allowed === true || (allowed !== undefined && value !== undefined && allowed(value))) {
    return { name: lower, grant: false }
  }
  return {
    name: lower,
    grant: false,
    doubt: `setting ${lower} changes how later statements are read`,
  }
}
