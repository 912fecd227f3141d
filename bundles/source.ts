/** Where bundles come from. */

/** What a source answered. `tag` names this version to the same source: an ETag, a file's identity. */
export type Fetched =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'bundle'; readonly bytes: Buffer; readonly tag?: string }

/** Gives the newest bundle and says when to ask again. Knows nothing of signatures. */
export interface Source {
  /** The place for people, without secrets. */
  readonly place: string
  /** Longest wait between two tries after failures, in milliseconds. */
  readonly retryMsMax: number
  /** The newest bundle, or `unchanged` when `known` still is. Throws an Error that says why there is none. */
  fetch(known: string | undefined, signal: AbortSignal): Promise<Fetched>
  /** Resolves when it is worth asking again after a good answer; rejects when the signal fires. */
  changed(signal: AbortSignal): Promise<void>
}
