import { existsSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { type Checker, checker } from './checker.ts'
import { findings, type Problem, range, type Seen } from './findings.ts'
import { type Heads, headChecker } from './heads.ts'
import { fileLines, folderLines, type Lines } from './lines.ts'
import { headFile } from './segments.ts'
import { keyIdOf, publicKeyOf } from './signer.ts'

/** A head known from elsewhere (a status page, a ticket): the only defence against a log and its head cut back together. */
export type Anchor = { readonly seq: number; readonly hash: string }

export type VerifyOptions = {
  /** A whole log. */
  readonly folder?: string
  /** Or a part of one, in this order: an export, which has no head beside it. */
  readonly files?: readonly string[]
  /** Ed25519, SPKI in PEM. */
  readonly publicKey: string
  readonly anchor?: Anchor
}

export type Report = {
  readonly ok: boolean
  readonly entries: number
  readonly files: number
  readonly first_seq?: number
  readonly last_seq?: number
  /** SHA-256 of the last line, hex: with `last_seq`, the anchor for next time. */
  readonly last_hash?: string
  /** Signed lines found good. */
  readonly heads: number
  /** Entries at the end that no head covers yet: chained, but nobody signed for them. */
  readonly unsigned: number
  readonly log?: string
  readonly key_id: string
  /** The first names the first bad entry. */
  readonly problems: readonly Problem[]
  /** What the log itself tells of crashes and gaps that lost nothing on record. */
  readonly notes: readonly string[]
}

const tornWaitMs = 20

/** Reads a whole log, also one in use, and finds whatever was done to it. Throws Refusal for a bad key. */
export async function verifyAudit(options: VerifyOptions): Promise<Report> {
  const { folder, files = [], anchor } = options
  const publicKey = publicKeyOf(options.publicKey)
  const found = findings()
  const heads = headChecker(publicKey, found)
  const check = checker({ heads, found, whole: folder !== undefined, anchor })
  const lines = folder === undefined ? fileLines(files) : folderLines(folder)
  await readAll(lines, check)
  if (folder !== undefined) await compareHead(folder, lines, check, heads)
  const { entries, first, last } = check.end()
  const torn = lines.torn()
  if (torn !== undefined) found.add('torn', torn, 'the last line is cut off, by a crash or a hand')
  const cut = anchor && cutBefore(anchor, last)
  if (cut !== undefined) found.add('truncated', { file: last?.file ?? '' }, cut)
  return {
    ok: found.problems.length === 0,
    entries,
    files: lines.files(),
    ...(first === undefined ? {} : { first_seq: first }),
    ...(last === undefined ? {} : { last_seq: last.seq }),
    ...(last?.hash === undefined ? {} : { last_hash: last.hash }),
    heads: heads.count(),
    unsigned: Math.max(0, (last?.seq ?? 0) - Math.max(heads.last().seq, (first ?? 1) - 1)),
    ...(heads.log() === undefined ? {} : { log: String(heads.log()) }),
    key_id: keyIdOf(publicKey),
    problems: found.problems,
    notes: found.notes,
  }
}

async function readAll(lines: Lines, check: Checker): Promise<void> {
  for await (const line of lines.toEnd()) check.see(line)
}

// In a log in use, a signed line is in the log an instant before it is in head.json. So what head.json names is found
// by reading on, and it may lag behind a head that is the very last line.
async function compareHead(
  folder: string,
  lines: Lines,
  check: Checker,
  heads: Heads,
): Promise<void> {
  const { seq, before } = heads.last()
  const settled = check.end().last?.seq === seq ? before : seq
  const file = headFile(folder)
  const text = existsSync(file) ? readFileSync(file) : undefined
  await readAll(lines, check)
  if (lines.torn() !== undefined) {
    await setTimeout(tornWaitMs)
    await readAll(lines, check)
  }
  heads.copy(text, settled, check.end().last?.seq ?? 0)
}

function cutBefore(anchor: Anchor, last: Seen | undefined): string | undefined {
  const end = last?.seq ?? 0
  return end < anchor.seq ? `${range(end + 1, anchor.seq)} missing at the end` : undefined
}
