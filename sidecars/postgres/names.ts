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
  /** What all of them weigh, and those the server has not answered yet. */
  readonly bytes: number
  readonly pendingBytes: number
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

/** No names yet; `weigh` tells what a value takes in bytes, `gone` hears of every settled one that a name no longer has. */
export function names<T extends object>(
  weigh: (value: T) => number = () => 0,
  gone: (value: T) => void = () => undefined,
): Names<T> {
  const settled = new Map<string, T>()
  let pending: Change<T>[] = []
  let settledBytes = 0
  let pendingBytes = 0

  return {
    get size() {
      return settled.size + pending.length
    },
    get bytes() {
      return settledBytes + pendingBytes
    },
    get pendingBytes() {
      return pendingBytes
    },
    get,
    propose(change) {
      pending.push(change)
      pendingBytes += bytesOf(change.value)
    },
    settle(change) {
      drop(change)
      if (change.name === undefined) prune((_, name) => name !== '')
      else forget(change.name)
      if (change.name === undefined || change.value === undefined) return
      settled.set(change.name, change.value)
      settledBytes += bytesOf(change.value)
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
    else if (pending.includes(change)) pending = pending.filter((one) => one !== change)
    else return
    pendingBytes -= bytesOf(change.value)
  }

  function bytesOf(value: T | undefined): number {
    return value === undefined ? 0 : weigh(value)
  }

  function prune(dead: (value: T, name: string) => boolean): void {
    for (const [name, value] of settled) if (dead(value, name)) forget(name)
  }

  function forget(name: string): void {
    const value = settled.get(name)
    settled.delete(name)
    if (value === undefined) return
    settledBytes -= weigh(value)
    gone(value)
  }
}
