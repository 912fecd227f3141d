import type { MaskMethod } from './decision.ts'

/** One cell as text in, what the client may see out; null where the type cannot carry a rewritten value. */
export type Rewrite = {
  readonly method: MaskMethod
  readonly rule: string
  /** Stands in where a type cannot hold a text, as policy wrote it; undefined means null. */
  readonly value?: string
  text(cell: string): string | null
  /** The same for cells that are nothing but ASCII, without a string in between. */
  readonly ascii?: AsciiRewrite
}

/** Rewrites bytes where they are to be. */
export type AsciiRewrite = {
  /** By how many bytes a value may grow. */
  readonly growth: number
  /** Writes what becomes of `from[start, end)` at `at`; answers where it ends. */
  write(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number
}
