import type { FleetGate } from '../../bundles/server/fleet.ts'
import { exits, given, type Io } from './io.ts'
import { printable, printableJson } from './printable.ts'
import { remote, remoteHelp, remoteOptions } from './remote.ts'

const help = `Usage: postern fleet [--json]

Shows what every gate runs that reports to a bundle server, and how that differs from what is published for it; for
members of the administrators' groups. Exit code 1 when any gate differs: it runs no bundle (no_bundle) or another one
(other_bundle), refuses because of its age (stale), cannot get a newer one (error), or says nothing (silent).

  --json              everything, for machines
${remoteHelp.replace("the gate's HTTP", "the bundle server's HTTP")}
`

const columns = [
  'gate',
  'labels',
  'version',
  'bundle',
  'revision',
  'sequence',
  'digest',
  'age',
  'seen',
  'drift',
]
const digestLength = 12

/** `postern fleet`: all gates in one table. */
export async function fleetCommand(args: readonly string[], io: Io): Promise<number> {
  const options = given(args, { ...remoteOptions, json: 'boolean', help: 'boolean' })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const answer = (await remote(options, io).get('/v1/fleet')) as { readonly gates: FleetGate[] }
  io.stdout(options.values['json'] === true ? `${printableJson(answer)}\n` : table(answer.gates))
  return answer.gates.some(({ drift }) => drift.length > 0) ? exits.failed : exits.done
}

function table(gates: readonly FleetGate[]): string {
  if (gates.length === 0) return 'No gate has reported yet.\n'
  const rows = [columns, ...gates.map(row)].map((cells) => cells.map((cell) => printable(cell)))
  const widths = columns.map((_, at) => Math.max(...rows.map((cells) => cells[at]?.length ?? 0)))
  const lines = rows.map((cells) =>
    cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  '),
  )
  const errors = gates.flatMap(({ gate, bundle: { error } }) =>
    error === undefined ? [] : [printable(`${gate}: ${error}`)],
  )
  return [...lines, ...errors].map((line) => `${line.trimEnd()}\n`).join('')
}

function row({ gate, labels, version, bundle, seen, drift, target }: FleetGate): string[] {
  const { name, revision, sequence, digest, age_s } = bundle
  return [
    gate,
    Object.entries(labels)
      .map((pair) => pair.join('='))
      .join(','),
    version,
    name,
    `${revision || '-'}${target?.canary === true && target.digest === digest ? ' (canary)' : ''}`,
    String(sequence ?? '-'),
    digest?.slice(0, digestLength) ?? '-',
    age_s === undefined ? '-' : `${age_s}s`,
    seen.replace(/\.\d+Z$/, 'Z'),
    drift.join(',') || 'none',
  ]
}
