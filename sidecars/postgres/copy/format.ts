import type { Plan } from '../mask/plan.ts'

/** One of the forms COPY writes rows in. Both functions throw Malformed where the bytes cannot be of that form. */
export interface Format {
  /** Where the row that begins at `at` ends; 0 while that cannot be told. */
  end(bytes: Buffer, at: number): number
  /** The row with its cells changed as planned; the same Buffer where nothing changed. */
  rewrite(row: Buffer, plan: Plan): Buffer
  /** What comes before the first row, and is passed on as it is: where it ends, 0 while that cannot be told. */
  head?(bytes: Buffer): number
  /** What has to follow the last row. */
  readonly trailer?: Buffer
}

/** Takes a cell out of its row: what the plan says is in its place, `same` where it stays. */
export const same = Symbol('same')

/** What becomes of one cell, null for NULL. */
export function changed(
  plan: Plan,
  column: number,
  cell: () => Buffer | null,
): Buffer | null | typeof same {
  const change = plan[column]
  if (change === undefined) return same
  const value = cell()
  if (value === null && !change.always) return same
  if (change.fixed !== undefined) return change.fixed
  return value === null ? null : change.value(value)
}
