import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  exits,
  Failure,
  fileBytes,
  type Given,
  given,
  type Io,
  meant,
  textOf,
  timeOf,
  Usage,
} from '../commands/io.ts'
import { printable, printableJson } from '../commands/printable.ts'
import { type Finder, openFinder } from './finder.ts'
import type { AuditQuery } from './query.ts'
import { reportText, storyText, tableText } from './text.ts'
import { type Anchor, verifyAudit } from './verify.ts'

const help = `Usage: postern audit verify [--key FILE] [--head SEQ:HASH] [FILE...]
       postern audit search [conditions] [--limit N] [--cursor C]
       postern audit show DECISION

Reads the record in the gate's own folder. verify finds any change and needs only the public key;
with FILEs it checks a part of a log in that order.

  --config FILE       the gate whose record it is (or POSTERN_CONFIG)
  --folder DIR        the folder of the record itself
  --key FILE          verify: the public key, kept apart from the log; without it, audit.pub beside the log
  --head SEQ:HASH     verify: a head known from before, which finds a log and its head cut back together
  --subject ID        search: who was accountable, acted for them, or reviewed
  --resource ID, --session ID, --decision ID, --object NAME, --rule NAME, --kind KIND
  --effect EFFECT     search: allow, hold, deny, or what a command does: read, write, delete ...
  --text WORDS        search: all these words in the statement; custom* for words that begin so
  --from T, --to T    search: times, as in 2026-01-31 or 2026-01-31T12:00:00Z
  --limit N           search: at most so many, newest first (default 50, at most 1000)
  --json              machine-readable output
`

const conditions = [
  'subject',
  'resource',
  'session',
  'decision',
  'object',
  'rule',
  'kind',
  'effect',
  'text',
  'cursor',
] as const

const options = {
  ...Object.fromEntries(conditions.map((name) => [name, 'string'] as const)),
  config: 'string',
  folder: 'string',
  key: 'string',
  head: 'string',
  from: 'string',
  to: 'string',
  limit: 'string',
  json: 'boolean',
  help: 'boolean',
} as const

/** The folder of the record when --folder does not name it: from the configuration. */
export type LocateLog = (given: Given) => string

type Task = (asked: Given, io: Io, folder: () => string) => number | Promise<number>

const tasks: Readonly<Record<string, Task>> = { verify, search, show }

/** `postern audit`: verifies, searches and shows the record. Throws Usage, Failure, Refusal. */
export async function auditCommand(
  args: readonly string[],
  io: Io,
  locate: LocateLog,
): Promise<number> {
  const asked = given(args, options)
  if (asked.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const [word = '', ...words] = asked.words
  const task = Object.hasOwn(tasks, word) ? tasks[word] : undefined
  if (task === undefined) {
    const near = meant(word, Object.keys(tasks))
    throw new Usage(near ? `did you mean postern audit ${near}?` : 'verify, search or show?')
  }
  return task({ ...asked, words }, io, () => textOf(asked, 'folder') ?? locate(asked))
}

async function verify(asked: Given, io: Io, folder: () => string): Promise<number> {
  const files = asked.words
  const key = textOf(asked, 'key')
  if (files.length > 0 && key === undefined) throw new Usage('files need --key FILE')
  const anchor = anchorOf(textOf(asked, 'head'))
  const publicKey = fileBytes(key ?? join(folder(), 'audit.pub')).toString()
  const report = await verifyAudit({
    ...(files.length > 0 ? { files } : { folder: folder() }),
    publicKey,
    ...(anchor ? { anchor } : {}),
  })
  io.stdout(asked.values['json'] === true ? json(report) : reportText(report))
  if (key === undefined) {
    io.stderr('The key came from beside the log: who changed one could change both. Use --key.\n')
  }
  return report.ok ? exits.done : exits.failed
}

function search(asked: Given, io: Io, folder: () => string): number {
  if (asked.words.length > 0) throw new Usage('search takes options only, as in --text DROP')
  const query = queryOf(asked)
  const { entries, cursor } = found(folder(), (finder) => finder.find(query))
  if (asked.values['json'] === true) {
    io.stdout(entries.map((entry) => `${oneLine(entry)}\n`).join(''))
  } else {
    io.stdout(tableText(entries))
  }
  if (cursor !== undefined) io.stderr(`There is more: --cursor ${cursor}\n`)
  return exits.done
}

function show(asked: Given, io: Io, folder: () => string): number {
  const [decision, ...more] = asked.words
  if (decision === undefined || more.length > 0) throw new Usage('which decision? give its id')
  const { entries } = found(folder(), (finder) => finder.find({ decision, limit: 1000 }))
  if (entries.length === 0) throw new Failure(`${printable(decision)} is not on record`)
  const inOrder = entries.toReversed()
  io.stdout(asked.values['json'] === true ? json(inOrder) : storyText(inOrder))
  return exits.done
}

function found<Result>(folder: string, work: (finder: Finder) => Result): Result {
  // A folder that holds no log is not to become one.
  try {
    readFileSync(join(folder, 'head.json'))
  } catch {
    throw new Failure(`${folder} holds no record that can be read`)
  }
  const finder = openFinder(folder)
  try {
    while (finder.advance());
    return work(finder)
  } finally {
    finder.close()
  }
}

function queryOf(asked: Given): AuditQuery {
  const named = conditions.map((name) => [name, textOf(asked, name)] as const)
  const limit = Number(textOf(asked, 'limit') ?? 50)
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000) {
    throw new Usage('--limit is a number from 1 to 1000')
  }
  return {
    ...Object.fromEntries(named.filter(([, value]) => value !== undefined)),
    fromMs: timeOf(asked, 'from'),
    toMs: timeOf(asked, 'to'),
    limit,
  }
}

function anchorOf(text: string | undefined): Anchor | undefined {
  if (text === undefined) return undefined
  const [, seq, hash] = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text) ?? []
  if (seq === undefined || hash === undefined) {
    throw new Usage('--head is SEQ:HASH, as an earlier verify printed it')
  }
  return { seq: Number(seq), hash }
}

function json(value: unknown): string {
  return `${printableJson(value)}\n`
}

function oneLine(value: unknown): string {
  return printableJson(value).replace(/\n\s*/g, ' ')
}
