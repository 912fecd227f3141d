import { readFileSync } from 'node:fs'
import type { Decision, Input, Reason } from '../contract.ts'
import { engine } from '../engine/engine.ts'
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
import { printable, printableJson } from './printable.ts'

const help = `Usage: postern decide --bundle FILE --key FILE --input FILE [--demo]
       postern decide --config FILE --input FILE

Asks a policy bundle one question and prints the decision with its reasons. Nothing is recorded.

  --input FILE        the question as JSON, as policy sees it; - is standard input
  --bundle FILE       a signed bundle
  --key FILE          the public key it must be signed with
  --key-id ID         the name the signature knows the key by
  --demo              accept the published demo key
  --config FILE       bundle and keys of this gate (or POSTERN_CONFIG)
  --at TIME           the time policy is told, as in 2026-01-31T12:00:00Z (default: now)
  --json              machine-readable output
`

/** Where the bundle to ask comes from: verified, or an Error that says why not. */
export type LoadBundle = (given: Given) => Promise<PolicyBundle>

/** `postern decide`: answers one question from a file as a gate would. */
export async function decideCommand(
  args: readonly string[],
  io: Io,
  load: LoadBundle,
): Promise<number> {
  const options = given(args, {
    config: 'string',
    bundle: 'string',
    key: 'string',
    'key-id': 'string',
    demo: 'boolean',
    input: 'string',
    at: 'string',
    json: 'boolean',
    help: 'boolean',
  })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const path = textOf(options, 'input')
  if (path === undefined) throw new Usage('which question? give --input FILE')
  const input = question(path)
  const atMs = timeOf(options, 'at')
  const decider = engine(atMs === undefined ? {} : { now: () => atMs })
  await decider.activate(await load(options))
  const { decision, bundle } = decider.evaluate(input)
  const problem = decider.status().last_failure?.problem
  if (problem !== undefined) io.stderr(`policy failed: ${printable(problem)}\n`)
  const json = options.values['json'] === true
  io.stdout(json ? `${printableJson({ decision, bundle })}\n` : text(decision))
  return exits.done
}

function question(path: string): Input {
  // By its number: /dev/stdin cannot be opened where it is a socket.
  const bytes = path === '-' ? readFileSync(0) : fileBytes(path)
  try {
    return JSON.parse(bytes.toString())
  } catch {
    throw new Failure(`${path} is not JSON`)
  }
}

type Row = readonly [name: string, value: string]

function text(decision: Decision): string {
  const { effect, reasons, masks, limits, quotas, hold, obligations } = decision
  const rows: readonly Row[] = [
    ['effect', effect],
    ...reasons.flatMap(reasonRows),
    ...masks.map((mask) => ['mask', JSON.stringify(mask)] as const),
    ...limits.map((limit) => ['limit', JSON.stringify(limit)] as const),
    ...quotas.map((quota) => ['quota', JSON.stringify(quota)] as const),
    ...(hold === undefined ? [] : [['hold', JSON.stringify(hold)] as const]),
    ...obligations.map((duty) => ['must', JSON.stringify(duty)] as const),
  ]
  return rows.map(([name, value]) => `${name.padEnd(8)} ${printable(value)}\n`).join('')
}

function reasonRows({ rule, code, message, remedy }: Reason): readonly Row[] {
  const because = ['because', `${message} (${rule}, ${code})`] as const
  return remedy === undefined ? [because] : [because, ['remedy', remedy]]
}
