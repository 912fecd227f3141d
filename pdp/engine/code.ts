import * as z from 'zod'
import type { Declarations, Declared, Effect } from '../contract.ts'

const effects = [
  'read',
  'write',
  'delete',
  'define',
  'grant',
  'execute',
  'session',
] as const satisfies readonly Effect[]

const named = (pattern: RegExp, form: string) =>
  z.string().max(512).regex(pattern, `has to be written as ${form}`)

const column = named(/^[^.]+\..+\.[^.]+$/s, 'schema.table.column')
const relation = named(/^[^.]+\..+$/s, 'schema.name')
const signature = named(/^[^.]+\..+\(.*\)$/s, 'schema.name(type, type)')

const shape = z.record(
  z.string(),
  z.strictObject({
    functions: z
      .record(
        signature,
        z.strictObject({
          reads: z.array(column).max(10_000),
          returns: z.union([z.array(column).max(10_000), z.literal('nothing')]),
          writes: z.array(relation).max(10_000).optional(),
          effects: z.array(z.enum(effects)).optional(),
        }),
      )
      .default({}),
    declassify: z.array(relation).max(10_000).default([]),
  }),
)

/** A datastore of which nothing is said. */
export const nothingDeclared: Declarations = { functions: new Map(), declassify: new Set() }

/** What a bundle's data says of code, by resource: `data.code`. Throws an Error that names the field. */
export function codeOf(data: unknown): ReadonlyMap<string, Declarations> {
  const code = (data as { readonly code?: unknown } | null | undefined)?.code
  const read = shape.safeParse(code ?? {})
  if (!read.success) {
    const [issue] = read.error.issues
    const field = ['code', ...(issue?.path ?? [])].map(String).join('.')
    throw new Error(`data.${field}: ${issue?.message ?? 'is not understood'}`)
  }
  return new Map(
    Object.entries(read.data).map(([resource, { functions, declassify }]) => [
      resource,
      {
        functions: new Map(Object.entries(functions).map(([name, one]) => [name, declared(one)])),
        declassify: new Set(declassify),
      },
    ]),
  )
}

type Written = z.infer<typeof shape>[string]['functions'][string]

function declared({ reads, returns, writes, effects }: Written): Declared {
  return {
    reads,
    returns: returns === 'nothing' ? [] : returns,
    ...(writes === undefined ? {} : { writes }),
    ...(effects === undefined ? {} : { effects }),
  }
}
