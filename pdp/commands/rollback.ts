import { userInfo } from 'node:os'
import { join } from 'node:path'
import { folderPermits, permitMs } from '../../bundles/rollback.ts'
import { exits, type Given, given, type Io, textOf, Usage } from './io.ts'
import type { Settings } from './settings.ts'

const help = `Usage: postern rollback --to-sequence N --because TEXT [--config FILE]

Allows the gate of this configuration to go back to an older bundle, once and within a day: the signed bundle with
exactly this sequence, as soon as its source offers it. Who allowed it and why is on the record when it happens.
Better, where you can sign: sign the older bundle anew, with a higher sequence (postern bundle sign).

  --to-sequence N     the sequence of the bundle (postern bundle inspect)
  --because TEXT      the reason, for the record
  --config FILE       the gate's configuration (or POSTERN_CONFIG; default postern.yaml)
`

/** `postern rollback`: the permission to run one older bundle again. */
export async function rollbackCommand(
  args: readonly string[],
  io: Io,
  settingsOf: (options: Given) => Pick<Settings, 'state' | 'bundle'>,
): Promise<number> {
  const options = given(args, {
    config: 'string',
    'to-sequence': 'string',
    because: 'string',
    help: 'boolean',
  })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  if (options.words.length > 0) throw new Usage(`${options.words.join(' ')} is too much`)
  const sequence = sequenceOf(textOf(options, 'to-sequence'))
  const because = textOf(options, 'because')?.trim() ?? ''
  if (because === '' || because.length > 500)
    throw new Usage('why? give --because TEXT, at most 500 characters')
  const { state, bundle } = settingsOf(options)
  const until_ms = Date.now() + permitMs
  const by = userInfo().username
  const permits = folderPermits(join(state, 'bundles'), bundle.name)
  await permits.grant({ sequence, because, by, until_ms })
  const until = new Date(until_ms).toISOString()
  io.stdout(`${bundle.name}: sequence ${sequence} may come back once, until ${until}\n`)
  return exits.done
}

function sequenceOf(text: string | undefined): number {
  const sequence = Number(text)
  if (text === undefined || !/^\d+$/.test(text) || !Number.isSafeInteger(sequence))
    throw new Usage('to which bundle? give --to-sequence N, a whole number')
  return sequence
}
