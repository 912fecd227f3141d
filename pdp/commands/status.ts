import { exits, given, type Io } from './io.ts'
import { printableJson } from './printable.ts'
import { remote, remoteHelp, remoteOptions } from './remote.ts'

const help = `Usage: postern status

Prints what a running gate says of itself, as JSON; for members of the administrators' groups.

${remoteHelp}
`

/** `postern status`: what a running gate resolved from its configuration and what it runs. */
export async function statusCommand(args: readonly string[], io: Io): Promise<number> {
  const options = given(args, { ...remoteOptions, help: 'boolean' })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const status = await remote(options, io).get('/v1/status')
  io.stdout(`${printableJson(status)}\n`)
  return exits.done
}
