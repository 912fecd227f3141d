import type { Names, PathChange } from '../read/path.ts'

/**
 * search_path in the middle of a transaction: what it is, what it will be after COMMIT or ROLLBACK, and after ROLLBACK TO
 * (guc.c, `AtEOXact_GUC`).
 */
export type Path = Values & {
  /** What RESET goes back to. */
  readonly start: Names
  /** What ROLLBACK goes back to. */
  readonly before: Names
  /** Innermost last. */
  readonly savepoints: readonly Savepoint[]
  /** BEGIN was said. */
  readonly block: boolean
  /** An error waits for its ROLLBACK. */
  readonly failed: boolean
  /** It can no longer be told. */
  readonly lost: boolean
  /** However the transaction ends, and wherever it goes back to, names mean the same. */
  readonly uniform: boolean
}

type Values = {
  /** What COMMIT leaves. */
  readonly session: Names
  /** The same, unless SET LOCAL says otherwise. */
  readonly current: Names
}

/** Savepoints of one name, one right after the other, with nothing set in between. */
type Savepoint = Values & { readonly name: string; readonly count: number }

/** Nobody honest has more; beyond it the path is taken for lost. */
const savepointsMax = 10_000

/** A session outside of any transaction. */
export function begun(start: Names, current: Names): Path {
  return ended(
    {
      start,
      before: current,
      session: current,
      current,
      savepoints: [],
      block: false,
      failed: false,
      lost: false,
      uniform: true,
    },
    current,
  )
}

/** The path after a statement that ran. */
export function after(path: Path, change: PathChange): Path {
  switch (change.kind) {
    case 'set': {
      const current = change.names ?? path.start
      return made(path, change.local ? { current } : { session: current, current })
    }
    case 'begin':
      return { ...path, block: true }
    case 'commit':
      return ended(path, path.failed ? path.before : path.session, change.chain)
    case 'rollback':
      return ended(path, path.before, change.chain)
    case 'discard':
      return ended(path, path.start)
    case 'may_commit':
      return path.block || path.uniform ? path : { ...path, lost: true }
    case 'savepoint':
      return saved(path, change.name)
    case 'release':
    case 'rollback_to':
      return back(path, change.kind, change.name)
  }
}

/** The path after an error: everything since the last savepoint is undone at once. */
export function failed(path: Path): Path {
  const { session, current } = path.savepoints.at(-1) ?? both(path.before)
  return { ...made(path, { session, current }), failed: true }
}

/** The path once the server is ready, in a transaction or not: `I`, `T` or `E` (PostgreSQL 55.7). */
export function settled(path: Path, status: string): Path {
  if (status === 'I') return ended(path, path.failed ? path.before : path.session)
  return { ...path, block: true, failed: status === 'E' }
}

/** Whether two settings name the same schemas in the same order. */
export function same(one: Names, other: Names): boolean {
  return one === other || (one.length === other.length && one.every((name, i) => name === other[i]))
}

const both = (names: Names): Values => ({ session: names, current: names })

function ended(path: Path, names: Names, block = false): Path {
  return {
    ...path,
    ...both(names),
    before: names,
    savepoints: [],
    block,
    failed: false,
    uniform: true,
  }
}

function made(path: Path, values: Partial<Path>): Path {
  const next = { ...path, ...values }
  const { before, session, current, savepoints } = next
  const isSame = (one: Values): boolean => same(one.session, before) && same(one.current, before)
  return { ...next, uniform: isSame({ session, current }) && savepoints.every(isSame) }
}

function saved(path: Path, name: string): Path {
  const { session, current, savepoints } = path
  const last = savepoints.at(-1)
  if (last?.name === name && same(last.session, session) && same(last.current, current))
    return {
      ...path,
      savepoints: [...savepoints.slice(0, -1), { ...last, count: last.count + 1 }],
    }
  if (savepoints.length >= savepointsMax) return { ...path, lost: true }
  return { ...path, savepoints: [...savepoints, { name, session, current, count: 1 }] }
}

function back(path: Path, kind: 'release' | 'rollback_to', name: string): Path {
  const at = path.savepoints.findLastIndex((one) => one.name === name)
  const point = path.savepoints[at]
  // The server knows one that was never seen here.
  if (point === undefined) return { ...path, lost: true }
  const outer = path.savepoints.slice(0, at)
  if (kind === 'rollback_to') {
    const { session, current } = point
    return { ...made(path, { session, current, savepoints: [...outer, point] }), failed: false }
  }
  const rest = point.count > 1 ? [...outer, { ...point, count: point.count - 1 }] : outer
  return made(path, { savepoints: rest })
}
