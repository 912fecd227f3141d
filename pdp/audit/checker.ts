import { type Findings, range, type Seen } from './findings.ts'
import type { Heads } from './heads.ts'
import { type Header, hashOf, headerOf, nothingBefore, signedKinds } from './line.ts'
import type { Line } from './lines.ts'
import type { Anchor } from './verify.ts'

/** Follows a chain line by line. */
export type Checker = {
  see(line: Line): void
  /** Where it stands; to be called when all lines were seen. */
  end(): { readonly entries: number; readonly first?: number; readonly last?: Seen }
}

type Options = {
  readonly heads: Heads
  readonly found: Findings
  /** False for a part of a log, which may begin anywhere. */
  readonly whole: boolean
  readonly anchor: Anchor | undefined
}

/** Begins at the start of a log. */
export function checker({ heads, found, whole, anchor }: Options): Checker {
  let entries = 0
  let first: number | undefined
  let last: Seen | undefined
  // Two neighbours that do not fit: the line after them tells which one was changed.
  let suspects: readonly [Seen, Seen] | undefined

  function see(line: Line): void {
    const header = headerOf(line.bytes)
    const place = { file: line.file, line: line.number }
    entries += 1
    settle(header?.prev)
    if (header === undefined) {
      last = { ...place, seq: (last?.seq ?? 0) + 1 }
      found.add('unreadable', last, 'not a line of an audit log')
      return
    }
    const seen = { ...place, seq: header.seq, hash: hashOf(line.bytes) }
    follow(seen, header)
    compare(seen, line)
    if (signedKinds.has(header.kind)) heads.signed(seen, header.kind, line.bytes)
    first ??= header.seq
    last = seen
  }

  function follow(seen: Seen, header: Header): void {
    const expected = (last?.seq ?? 0) + 1
    if (last === undefined) {
      begin(seen, header)
    } else if (header.seq > expected) {
      found.add('missing', seen, `${range(expected, header.seq - 1)} missing before this line`)
    } else if (header.seq < expected) {
      found.add('out_of_order', seen, `entry ${header.seq} where entry ${expected} belongs`)
    } else if (last.hash !== undefined && last.hash !== header.prev) {
      suspects = [last, seen]
    }
  }

  function begin(seen: Seen, header: Header): void {
    if (!whole && header.seq !== 1) found.note(`this part begins with entry ${header.seq}`)
    else if (header.seq !== 1) {
      found.add('missing', seen, `${range(1, header.seq - 1)} missing before this line`)
    } else if (header.prev !== nothingBefore) {
      found.add('changed', seen, 'the first entry claims to follow another')
    }
  }

  function compare(seen: Seen, line: Line): void {
    if (line.first !== undefined && line.first !== seen.seq) {
      found.add('out_of_order', seen, `the file is named for entry ${line.first}`)
    }
    if (anchor?.seq === seen.seq && anchor.hash !== seen.hash) {
      found.add('forked', seen, `entry ${seen.seq} was known with another hash, ${anchor.hash}`)
    }
  }

  function settle(prev?: string): void {
    if (suspects === undefined) return
    const [before, after] = suspects
    suspects = undefined
    const culprit = prev === undefined || prev === after.hash ? before : after
    found.add('changed', culprit, 'the line is not the one that was written')
  }

  function end() {
    settle()
    return {
      entries,
      ...(first === undefined ? {} : { first }),
      ...(last === undefined ? {} : { last }),
    }
  }

  return { see, end }
}
