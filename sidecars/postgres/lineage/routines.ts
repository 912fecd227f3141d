import type { Callable } from '../../sql/lineage/library.ts'

type Row = readonly (string | null)[]

const ROUTINES_MAX = 200_000
const DEFINITIONS_CHARS_MAX = 64 * 1024 * 1024

const kind = { f: 'function', p: 'procedure', a: 'aggregate', w: 'window' } as const
const volatility = { i: 'immutable', s: 'stable', v: 'volatile' } as const

/** Functions by name, of the rows of the snapshot's queries. Throws when it is too much. */
export function routines(
  rows: readonly Row[],
  aggregates: readonly Row[],
): ReadonlyMap<string, readonly Callable[]> {
  if (rows.length > ROUTINES_MAX) {
    throw new Error(`the catalogue has more than ${ROUTINES_MAX} functions`)
  }
  const parts = Map.groupBy(aggregates, ([aggregate]) => aggregate ?? '')
  const found = new Map<string, Callable[]>()
  let chars = 0
  for (const row of rows) {
    const one = routine(row, parts.get(row[0] ?? '') ?? [])
    chars += one.definition?.length ?? 0
    if (chars > DEFINITIONS_CHARS_MAX) {
      throw new Error(`the functions have more than ${DEFINITIONS_CHARS_MAX} characters`)
    }
    const list = found.get(one.name)
    if (list === undefined) found.set(one.name, [one])
    else list.push(one)
  }
  return found
}

function routine(row: Row, parts: readonly Row[]): Callable {
  const [oid, schema, name, prokind, language, provolatile, definer, variadic, set, defaults] = row
  const [written, taken, all, modes, names, gives, settings, definition, extension] = row.slice(10)
  const takes = (taken ?? '').split(' ').filter(Boolean).map(Number)
  const parameters = {
    types: list(all).map(Number),
    modes: list(modes).map(String),
    names: list(names).map((one) => String(one ?? '')),
  }
  return {
    oid: Number(oid),
    schema: schema ?? '',
    name: name ?? '',
    kind: kind[prokind as keyof typeof kind] ?? 'function',
    language: language ?? '',
    volatility: volatility[provolatile as keyof typeof volatility] ?? 'volatile',
    definer: definer === 't',
    argumentsMin: takes.length - Number(defaults),
    argumentsMax: variadic === 't' ? Number.POSITIVE_INFINITY : takes.length,
    set: set === 't',
    signature: `${schema}.${name}(${written})`,
    takes,
    variadic: variadic === 't',
    names: taking(parameters),
    gives: Number(gives),
    out: giving(parameters),
    definition: definition ?? undefined,
    searchPath: searchPath(list(settings).map(String)),
    extension: extension ?? undefined,
    parts: parts.map(([, space, part]) => `${space}.${part}`),
  }
}

type Parameters = {
  readonly types: readonly number[]
  readonly modes: readonly string[]
  readonly names: readonly string[]
}

function taking({ modes, names }: Parameters): readonly string[] {
  return modes.length === 0 ? names : names.filter((_, i) => 'ibv'.includes(modes[i] ?? ''))
}

function giving({ types, modes, names }: Parameters): Callable['out'] {
  return types.flatMap((type, i) =>
    'obt'.includes(modes[i] ?? '-') ? [{ name: names[i] ?? '', type }] : [],
  )
}

function list(json: string | null | undefined): readonly unknown[] {
  return json ? (JSON.parse(json) as readonly unknown[]) : []
}

/** `search_path=a, "B c"` as the server keeps it; what it stands for is read the same way again. */
function searchPath(settings: readonly string[]): readonly string[] | undefined {
  const setting = settings.find((one) => one.startsWith('search_path='))
  const value = setting?.slice('search_path='.length)
  return value
    ?.match(/"(?:[^"]|"")*"|[^,\s]+/g)
    ?.map((one) => (one.startsWith('"') ? one.slice(1, -1).replaceAll('""', '"') : one))
}
