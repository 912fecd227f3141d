import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** One file of the log. Its name is the number of its first entry. */
export type Segment = { readonly file: string; readonly first: number }

const form = /^audit-(\d{15})\.jsonl$/

/** The file whose first entry has this number. */
export function segmentAt(folder: string, first: number): Segment {
  return { file: join(folder, `audit-${String(first).padStart(15, '0')}.jsonl`), first }
}

/** The files of a log, oldest first. */
export function segmentsIn(folder: string): readonly Segment[] {
  return readdirSync(folder)
    .flatMap((name) => {
      const [, first] = form.exec(name) ?? []
      return first === undefined ? [] : [{ file: join(folder, name), first: Number(first) }]
    })
    .sort((a, b) => a.first - b.first)
}

/** Copy of the last signed line, so that a log cut at its end is found. */
export function headFile(folder: string): string {
  return join(folder, 'head.json')
}

/** Where the bytes of a torn last line are kept; `seq` is the number the line would have had. */
export function tornFile(folder: string, seq: number, digest: string): string {
  return join(folder, `torn-${seq}-${digest.slice(0, 8)}`)
}

/** Names of the torn pieces that no entry mentions yet: those found where entry `seq` will stand. */
export function tornBefore(folder: string, seq: number): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith(`torn-${seq}-`))
}
