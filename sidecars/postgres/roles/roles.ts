import type { Credential, Declarations, Upstream } from '../../../pdp/contract.ts'
import { declaring, loadCatalogue, type Query } from '../catalogue.ts'
import { ask } from '../control.ts'
import { terminate } from '../frames.ts'
import { ready } from '../read/parser.ts'
import { login } from '../upstream.ts'
import { type Privileges, privileges } from './privileges.ts'
import { type ScriptOptions, script } from './script.ts'
import { verifyRole } from './verify.ts'

/** Where a role is looked at, and what it must not see. */
export type Looking = {
  readonly upstream: Upstream
  readonly credential: Credential
  readonly database: string
  /** As `schema.table.column`. */
  readonly protectedColumns: ReadonlySet<string>
  /** What the bundle says of code: views and functions that are safe by review may be used. */
  readonly declarations?: Declarations | undefined
}

/** The statements that make a role see all but what is protected. `credential` may be any that sees the catalogue. Throws Refusal. */
export function grants(looking: Looking & Omit<ScriptOptions, 'database'>): Promise<string> {
  return connected(looking, async (query) => script(await wanted(query, looking), looking))
}

/** What the role that logs in may do beyond that, or lacks, in words for people. Throws Refusal. */
export function verify(looking: Looking): Promise<readonly string[]> {
  return connected(looking, async (query) => verifyRole(query, await wanted(query, looking)))
}

async function wanted(
  query: Query,
  { protectedColumns, declarations }: Looking,
): Promise<Privileges> {
  await ready
  const loaded = await loadCatalogue(query)
  const catalogue = declarations === undefined ? loaded : declaring(loaded, declarations)
  return privileges(query, catalogue, (column) => protectedColumns.has(column))
}

async function connected<T>(
  { upstream, credential, database }: Looking,
  work: (query: Query) => Promise<T>,
): Promise<T> {
  const settings = { database, application_name: 'postern' }
  const { channel } = await login(upstream, credential, settings)
  try {
    return await work((sql) => ask(channel, sql))
  } finally {
    channel.write(terminate)
    channel.end()
  }
}
