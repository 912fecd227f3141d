/** One thing that is wrong, and where. */
export type Problem = Place & {
  readonly what:
    | 'changed'
    | 'missing'
    | 'out_of_order'
    | 'unreadable'
    | 'forged'
    | 'forked'
    | 'truncated'
    | 'old_head'
    | 'torn'
  readonly message: string
}

type Place = {
  /** Name without folder. */
  readonly file: string
  /** From 1. */
  readonly line?: number
  readonly seq?: number
}

/** A line that was read. */
export type Seen = Place & {
  readonly line: number
  readonly seq: number
  /** Undefined where the line could not be read: nothing can be compared with it. */
  readonly hash?: string
}

/** What verifying found, at most 100 of each. */
export type Findings = {
  readonly problems: readonly Problem[]
  readonly notes: readonly string[]
  add(what: Problem['what'], place: Place, message: string): void
  note(text: string): void
}

const problemsMax = 100

/** An empty list of findings. */
export function findings(): Findings {
  const problems: Problem[] = []
  const notes: string[] = []
  return {
    problems,
    notes,
    add: (what, { file, line, seq }, message) => {
      if (problems.length >= problemsMax) return
      const where = {
        file,
        ...(line === undefined ? {} : { line }),
        ...(seq === undefined ? {} : { seq }),
      }
      problems.push({ what, ...where, message })
    },
    note: (text) => {
      if (notes.length < problemsMax) notes.push(text)
    },
  }
}

/** `entry 4 is`, `entries 4 to 9 are`. */
export function range(from: number, to: number): string {
  return from === to ? `entry ${from} is` : `entries ${from} to ${to} are`
}
