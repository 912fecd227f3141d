import type { Obligation, Session } from './contract.ts'
import type { Credentials } from './parts.ts'
import { Refusal } from './refusal.ts'

/** How protected columns are kept: masked in answers, or constants in their place that the datastore's own rights back up. */
export type Profile = Session['profile']

/** An obligation on the decision to connect says which of the gate's logins the session gets. */
const named = 'profile'

/** The strictest profile that policy wants; `masked` when it names none. Throws Refusal for one that is not known. */
export function profileOf(obligations: readonly Obligation[]): Profile {
  const wanted = obligations.filter(({ name }) => name === named).map(({ args }) => args?.['name'])
  if (wanted.some((name) => name !== 'sealed' && name !== 'masked'))
    throw new Refusal('unsupported_obligation', 'policy names a profile this gate does not know')
  return wanted.includes('sealed') ? 'sealed' : 'masked'
}

/** Who logs in for a session of this profile. Throws Refusal where nobody can. */
export function loginFor(
  profile: Profile,
  masked: Credentials,
  sealed: Credentials | undefined,
): Credentials {
  if (profile === 'masked') return masked
  if (sealed !== undefined) return sealed
  throw new Refusal(
    'credential_unavailable',
    'policy seals this session, and the gate has no login for that',
    { remedy: 'Ask whoever runs the gate to name sealed_credential.' },
  )
}
