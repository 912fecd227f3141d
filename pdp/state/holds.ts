import type { Hold, HoldState } from '../parts.ts'

/** A hold as it is kept: what people see of it, and what binds it to one asker. */
export type StoredHold = {
  readonly hold: Hold
  /** The issuer that vouches for the holder's subject and actors. */
  readonly issuer: string
  /** The ids of everybody acting for the subject, nearest first. */
  readonly actors: readonly string[]
  /** What an approval covers, hashed: bind.ts. */
  readonly digest: string
  /** Who voted, as issuer and id: one person counts once. */
  readonly voters: readonly string[]
  /** Grows by one with every change. */
  readonly version: number
}

/** Where holds live; every implementation passes the same conformance suite. Throws Refusal `state_unavailable`. */
export interface HoldStore {
  insert(stored: StoredHold): void
  get(id: string): StoredHold | undefined
  /** Replaces the hold if its version is still the one before `next.version`; false when somebody was faster. */
  replace(next: StoredHold): boolean
  /** Pending and approved holds of this digest that expire after `nowMs`, approved first, newest first, at most 16. */
  open(digest: string, nowMs: number): readonly StoredHold[]
  /** Newest first. */
  list(filter: HoldFilter): readonly StoredHold[]
  /** Pending and approved holds whose time is over at `nowMs`, at most `max`. */
  due(nowMs: number, max: number): readonly StoredHold[]
  /** How many are pending after `nowMs`: all, and those of one subject. */
  pending(
    nowMs: number,
    issuer: string,
    subject: string,
  ): { readonly all: number; readonly own: number }
  /** Deletes holds that are over and were made before `beforeMs`, at most `max`. */
  prune(beforeMs: number, max: number): number
  close(): void
}

export type HoldFilter = {
  readonly state?: HoldState
  readonly resource?: string
  readonly nowMs: number
  readonly max: number
}
