import type { Credential, Declarations, Upstream } from '../contract.ts'
import { codeOf } from '../engine/code.ts'
import { exits, Failure, type Given, given, type Io, textOf, Usage } from './io.ts'
import { credentialsOf, upstreamOf } from './parts.ts'
import type { Settings } from './settings.ts'

const help = `Usage: postern grants LISTENER --database NAME [--role NAME] [--writes] [--config FILE]

Prints what the role of sealed sessions must and must not be allowed to do, as statements to review and run. It is worked
out from the datastore's own catalogue and from the columns that data.catalog of the gate's bundle classifies.

  --database NAME     the database to look at
  --role NAME         the role; without it, that of the listener's sealed_credential
  --writes            the role may change rows too: policy says which
  --config FILE       the gate's configuration (or POSTERN_CONFIG; default postern.yaml)
`

/** What a role must be allowed, in the datastore's own words. */
export type Granting = {
  readonly upstream: Upstream
  readonly credential: Credential
  readonly database: string
  /** As `schema.table.column`. */
  readonly protectedColumns: ReadonlySet<string>
  readonly declarations: Declarations | undefined
}

/** What the composition root adds. */
export type GrantsParts = {
  /** The configuration that the command line names. */
  settings(options: Given): Settings
  /** `data` of the bundle that gate would use. */
  data(options: Given): Promise<unknown>
  /** The script for a listener's protocol. Throws Failure where it has none. */
  script(
    protocol: string,
    granting: Granting & { readonly role: string; readonly writes: boolean },
  ): Promise<string>
}

/** `postern grants`: prints the rights of the role that sealed sessions log in with. */
export async function grantsCommand(
  args: readonly string[],
  io: Io,
  parts: GrantsParts,
): Promise<number> {
  const options = given(args, {
    config: 'string',
    database: 'string',
    role: 'string',
    writes: 'boolean',
    help: 'boolean',
  })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const [id, ...others] = options.words
  if (id === undefined || others.length > 0) throw new Usage('which listener? give its id')
  const database = textOf(options, 'database')
  if (database === undefined) throw new Usage('which database? give --database NAME')
  const listener = parts.settings(options).listeners.find((one) => one.id === id)
  if (listener === undefined) throw new Usage(`there is no listener ${id}`)
  const role = textOf(options, 'role') ?? listener.sealedCredential?.username
  if (role === undefined) throw new Usage('which role? give --role NAME')
  if (role === listener.credential.username)
    throw new Usage(`${role} is the role that may read everything: give sealed sessions another`)
  const credential = await credentialsOf(listener.credential, io.env).credential()
  const data = await parts.data(options)
  const upstream = upstreamOf(listener)
  const granting = { upstream, credential, database, ...saidOf(data, id) }
  const writes = options.values['writes'] === true
  io.stdout(await parts.script(listener.protocol, { ...granting, role, writes }))
  return exits.done
}

/** What a bundle says of the columns and of the code of one resource. Throws Failure where no column is classified. */
export function saidOf(
  data: unknown,
  resource: string,
): Pick<Granting, 'protectedColumns' | 'declarations'> {
  return {
    protectedColumns: classified(data, resource),
    declarations: codeOf(data).get(resource),
  }
}

/** The columns of one resource that data.catalog classifies. Throws Failure where there are none. */
export function classified(data: unknown, resource: string): ReadonlySet<string> {
  const relations = Object.entries(fields(fields(fields(data)['catalog'])[resource]))
  const columns = relations.flatMap(([relation, classes]) =>
    Object.keys(fields(classes)).map((column) => `${relation}.${column}`),
  )
  if (columns.length === 0)
    throw new Failure(`data.catalog of the bundle classifies no column of ${resource}`)
  return new Set(columns)
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isObject ? (value as Readonly<Record<string, unknown>>) : {}
}
