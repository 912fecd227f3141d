import { comparisonText } from '../impact/report.ts'
import type { ShadowStatus } from '../shadow/shadow.ts'
import { exits, given, type Io } from './io.ts'
import { printable, printableJson } from './printable.ts'
import { remote, remoteHelp, remoteOptions } from './remote.ts'

const help = `Usage: postern shadow [--json]

Shows what the candidate in the shadow of the active bundle would have answered otherwise since it runs there; for
members of the administrators' groups. A candidate is named by bundle.shadow in the configuration.

  --json              everything, for machines
${remoteHelp}
`

/** `postern shadow`: the differences between a running gate's bundle and its candidate. */
export async function shadowCommand(args: readonly string[], io: Io): Promise<number> {
  const options = given(args, { ...remoteOptions, json: 'boolean', help: 'boolean' })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const status = (await remote(options, io).get('/v1/shadow')) as ShadowStatus
  io.stdout(options.values['json'] === true ? `${printableJson(status)}\n` : text(status))
  return exits.done
}

function text({ candidate, since = '', through, report, crashes, problem }: ShadowStatus): string {
  const trouble =
    problem === undefined ? '' : `Crashes: ${crashes}, the last: ${printable(problem)}\n`
  if (candidate === undefined) return `No candidate runs in the shadow.\n${trouble}`
  const until = through === undefined ? '' : `, up to ${printable(through)}`
  const what = `Candidate ${printable(candidate.revision) || 'without revision'} since ${printable(since)}${until}.\n`
  return what + trouble + (report === undefined ? '' : comparisonText(report))
}
