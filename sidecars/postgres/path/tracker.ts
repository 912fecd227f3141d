import { type Names, namesIn, type PathChange } from '../read/path.ts'
import { after, begun, failed, type Path, same, settled } from './path.ts'

/** What a session's search_path was when it began. */
export type Beginning = {
  /** Who the session runs as: what `$user` stands for. */
  readonly user: string
  /** What RESET goes back to. */
  readonly start: Names
  readonly current: Names
}

/** The search_path of one session, followed from what is sent and what comes of it. */
export interface SearchPath {
  /**
   * What a message of this batch is read under, as far as is known when nothing before it in the batch fails; after a
   * failure the server skips the rest. `unsettled` when it depends on other answers that are still to come.
   */
  now(batch: number, isBehind: () => boolean): Path | 'unsettled'
  /** A statement that does this was sent. */
  propose(change: PathChange, batch: number): { settle(): void; drop(): void }
  /** The server answered with an error. */
  failed(): void
  /** The server is ready: `I`, `T` or `E`. */
  ready(status: string): void
  /** The server says what it is, as it does since PostgreSQL 18 before it is ready. */
  announced(value: string): void
  /** The schemas that the setting stands for, of those that may be used (documentation 5.10.3). */
  schemas(names: Names, usable: ReadonlySet<string>): readonly string[]
  /** What this batch says now may be read under any path, and that stays so. */
  isLost(batch: number): boolean
  /** It cannot be told any more. */
  lose(): void
}

type Pending = { readonly change: PathChange; readonly batch: number }

/** Follows a session from its first statement. */
export function tracker({ user, start, current }: Beginning): SearchPath {
  let path = begun(start, current)
  const pending = new Set<Pending>()
  let said: string | undefined

  return {
    now,
    propose(change, batch) {
      const one = { change, batch }
      pending.add(one)
      const drop = (): void => void pending.delete(one)
      return {
        settle() {
          drop()
          path = after(path, change)
        },
        drop,
      }
    },
    failed() {
      path = failed(path)
    },
    ready(status) {
      path = settled(path, status)
      const names = said === undefined ? path.current : namesIn(said)
      said = undefined
      if (names === undefined || !same(names, path.current)) lose()
    },
    announced(value) {
      said = value
    },
    schemas: (names, usable) => schemasOf(names, user, usable),
    isLost: (batch) => path.lost || losesIn(batch),
    lose,
  }

  function lose(): void {
    path = { ...path, lost: true }
  }

  /** In one batch, what fails takes the rest with it. */
  function losesIn(batch: number): boolean {
    return [...pending]
      .filter((one) => one.batch === batch)
      .reduce((all, one) => after(all, one.change), path).lost
  }

  function now(batch: number, isBehind: () => boolean): Path | 'unsettled' {
    let ahead = path
    for (const one of pending) {
      // Who of these succeeds decides nothing as long as nobody sets anything.
      if (one.batch !== batch && (one.change.kind === 'set' || one.change.kind === 'discard'))
        return 'unsettled'
      ahead = after(ahead, one.change)
      // Most likely it fails, and then nothing is lost.
      if (one.batch !== batch && ahead.lost && !path.lost) return 'unsettled'
    }
    return path.uniform || !isBehind() ? ahead : 'unsettled'
  }
}

/** Temporary relations are in no catalogue of the gate's, and a session that makes some is doubted. */
function schemasOf(names: Names, user: string, usable: ReadonlySet<string>): readonly string[] {
  const meant = names.map((name) => (name === '$user' ? user : name))
  return [...new Set(meant)].filter((name) => name !== 'pg_temp' && usable.has(name))
}
