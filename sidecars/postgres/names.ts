/** Something that a name will mean once the server has agreed. */
export type Change<T> = {
  /** Undefined means every name but the unnamed one. */
  readonly name: string | undefined
  /** Undefined means that the name is gone. */
  readonly value: T | undefined
  /** What was sent together: after an error the server skips the rest of it. */
  readonly batch: number
}

/** One namespace of a session: prepared statements, or cursors and portals. */
export interface Names<T> {
  readonly size: number
  /**
   * What a name means to a message of `batch`. `unsettled` when that depends on an answer still outstanding
   * to another batch; within one batch the newest change is right, because its failure skips the rest.
   */
  get(name: string, batch: number): T | undefined | 'unsettled'
  propose(change: Change<T>): void
  /** The server agreed. */
  settle(change: Change<T>): void
  /** The server refused or skipped it. */
  drop(change: Change<T>): void
  /** Forgets every settled name whose value is no longer good. */
  prune(dead: (value: T, name: string) => boolean): void
  values(): Iterable<T>
}

/** No names yet; `gone` hears of every settled value that a name no longer has. */
export function names<T extends object>(gone: (value: T) => void = () => undefined): Names<T> {
  const settled = new Map<string, T>()
  let pending: Change<T>[] = []

  return {
    get size() {
      return settled.size + pending.length
    },
    get,
    propose: (change) => void pending.push(change),
    settle(change) {
      drop(change)
      if (change.name === undefined) prune((_, name) => name !== '')
      else forget(change.name)
      if (change.name !== undefined && change.value !== undefined)
        settled.set(change.name, change.value)
    },
    drop,
    prune,
    values: () => settled.values(),
  }

  function get(name: string, batch: number): T | undefined | 'unsettled' {
    const newest = pending.findLast(
      (change) => change.name === name || (change.name === undefined && name !== ''),
    )
    if (newest === undefined) return settled.get(name)
    return newest.batch === batch ? newest.value : 'unsettled'
  }

  function drop(change: Change<T>): void {
    if (pending[0] === change) pending.shift()
    else pending = pending.filter((one) => one !== change)
  }

  function prune(dead: (value: T, name: string) => boolean): void {
    for (const [name, value] of settled) if (dead(value, name)) forget(name)
  }

  function forget(name: string): void {
    const value = settled.get(name)
    settled.delete(name)
    if (value !== undefined) gone(value)
  }
}
