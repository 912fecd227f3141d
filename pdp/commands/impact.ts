import { existsSync, statSync } from 'node:fs'
import { fileLines, folderLines, type Lines } from '../audit/lines.ts'
import { acknowledgementsIn, reviewed } from '../impact/acknowledged.ts'
import { replay, type Stretch } from '../impact/replay.ts'
import { acknowledgementsText, type Impact, reportMarkdown, reportText } from '../impact/report.ts'
import type { PolicyBundle } from '../parts.ts'
import {
  exits,
  Failure,
  fileBytes,
  type Given,
  given,
  type Io,
  textOf,
  timeOf,
  Usage,
} from './io.ts'
import { printableJson } from './printable.ts'

const help = `Usage: postern impact --from RECORD [--from RECORD ...] --bundle FILE --key FILE [options]

Asks a candidate bundle everything that the record says was asked, with the clock of that time, and shows what it would
have answered otherwise. Exit code 1 when anything got weaker that is not acknowledged: for CI.

  --from RECORD       the folder of a record, an export of one, or a decision log of OPA as JSON lines
  --bundle FILE       the candidate, signed
  --key FILE          the public key it must be signed with
  --key-id ID         the name the signature knows the key by
  --demo              accept the published demo key
  --acknowledged FILE weakenings that were reviewed, as YAML
  --acknowledgements  print the entries that would acknowledge what is open, and nothing else
  --since TIME        only what was recorded from then on, e.g. 2026-01-31T12:00:00Z
  --before TIME       only what was recorded before
  --json              everything, for machines
  --markdown          fit for a comment on a pull request
`

/** Where the candidate comes from: verified, or an Error that says why not. */
export type LoadCandidate = (given: Given) => Promise<PolicyBundle>

/** `postern impact`: what a candidate bundle would have done to recorded traffic. */
export async function impactCommand(
  args: readonly string[],
  io: Io,
  load: LoadCandidate,
): Promise<number> {
  const { froms, others } = withoutFrom(args)
  const options = given(others, {
    bundle: 'string',
    key: 'string',
    'key-id': 'string',
    demo: 'boolean',
    acknowledged: 'string',
    acknowledgements: 'boolean',
    since: 'string',
    before: 'string',
    json: 'boolean',
    markdown: 'boolean',
    help: 'boolean',
  })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const impact = await impactOf(froms, options, load)
  io.stdout(printed(impact, options))
  return impact.ok ? exits.done : exits.failed
}

async function impactOf(
  froms: readonly string[],
  options: Given,
  load: LoadCandidate,
): Promise<Impact> {
  if (froms.length === 0) throw new Usage('which record? give --from FOLDER or --from FILE')
  const file = textOf(options, 'acknowledged')
  const entries = file === undefined ? [] : acknowledgementsIn(fileBytes(file).toString(), file)
  const candidate = await load(options)
  const replaying = await replay(candidate, stretchOf(options))
  for (const lines of recordsIn(froms))
    for await (const { bytes } of lines.toEnd()) replaying.line(bytes.toString())
  const found = replaying.report()
  const review = reviewed(found.groups, entries, Date.now())
  const { revision, digest } = candidate
  const sound = found.replayed > 0 && found.failed === 0 && found.unlisted === 0
  return { bundle: { revision, digest }, ...found, review, ok: sound && review.open.length === 0 }
}

function printed(impact: Impact, { values }: Given): string {
  if (values['acknowledgements'] === true) return acknowledgementsText(impact.review.open)
  if (values['json'] === true) return `${printableJson(impact)}\n`
  return values['markdown'] === true ? reportMarkdown(impact) : reportText(impact)
}

/** Takes out the one option that may be given several times. */
function withoutFrom(args: readonly string[]) {
  const froms: string[] = []
  const others: string[] = []
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ''
    if (word.startsWith('--from=')) froms.push(word.slice('--from='.length))
    else if (word !== '--from') others.push(word)
    else {
      const value = args[++at]
      if (value === undefined) throw new Usage('--from needs a folder or a file')
      froms.push(value)
    }
  }
  return { froms, others }
}

function recordsIn(places: readonly string[]): readonly Lines[] {
  const absent = places.find((place) => !existsSync(place))
  if (absent !== undefined) throw new Failure(`${absent}: there is no such file or folder`)
  const folders = places.filter((place) => statSync(place).isDirectory())
  const files = places.filter((place) => !folders.includes(place))
  return [
    ...folders.map((folder) => folderLines(folder)),
    ...(files.length > 0 ? [fileLines(files)] : []),
  ]
}

function stretchOf(options: Given): Stretch {
  return { fromMs: timeOf(options, 'since'), toMs: timeOf(options, 'before') }
}
