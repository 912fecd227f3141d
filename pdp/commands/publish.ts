import type { Publication } from '../../bundles/server/publisher.ts'
import { exits, fileBytes, type Given, given, type Io, textOf, Usage } from './io.ts'
import { printable, printableJson } from './printable.ts'
import { type Remote, remote, remoteHelp, remoteOptions } from './remote.ts'

const common = `  --name NAME         the name gates fetch it by (default: postern)
  --json              the answer as it came, for machines
${remoteHelp.replace("the gate's HTTP", "the bundle server's HTTP")}
`

const pushHelp = `Usage: postern push --bundle FILE [--name NAME] [--canary SELECTION]

Publishes a signed bundle. The server checks who you are, and the bundle's own signature and sequence. To push
the same bundle again changes nothing; with a larger share it widens the canary.

  --bundle FILE       the bundle, signed
  --canary SELECTION  only these gates get it: share=10 (percent), or labels as in env=staging,team=shop
${common}`

const promoteHelp = `Usage: postern promote [--name NAME] [--digest SHA256]

Gives the canary to all gates.

  --digest SHA256     only when the canary is still this bundle, for pipelines that run at the same time
${common}`

const abortHelp = `Usage: postern abort --bundle FILE [--name NAME]

Ends a canary. A gate never goes back to a lower sequence, so the bundle it shall run again is signed anew first:
postern bundle sign --bundle stable.tar.gz --output again.tar.gz --key ...

  --bundle FILE       the bundle for all gates, with a higher sequence than the canary's
${common}`

const options = { ...remoteOptions, name: 'string', json: 'boolean', help: 'boolean' } as const

/** `postern push`: a bundle to the bundle server. */
export async function pushCommand(args: readonly string[], io: Io): Promise<number> {
  const asked = given(args, { ...options, bundle: 'string', canary: 'string' })
  return answered(asked, io, pushHelp, (server, path) => {
    const canary = textOf(asked, 'canary')
    const query = canary === undefined ? '' : `?${new URLSearchParams({ canary })}`
    return server.put(`${path}${query}`, bundleOf(asked))
  })
}

/** `postern promote`: the canary to everybody. */
export async function promoteCommand(args: readonly string[], io: Io): Promise<number> {
  const asked = given(args, { ...options, digest: 'string' })
  return answered(asked, io, promoteHelp, (server, path) => {
    const digest = textOf(asked, 'digest')
    const query = digest === undefined ? '' : `?${new URLSearchParams({ digest })}`
    return server.post(`${path}/promote${query}`, {})
  })
}

/** `postern abort`: a newer bundle in place of the canary and of what was before it. */
export async function abortCommand(args: readonly string[], io: Io): Promise<number> {
  const asked = given(args, { ...options, bundle: 'string' })
  return answered(asked, io, abortHelp, (server, path) =>
    server.put(`${path}?abort=true`, bundleOf(asked)),
  )
}

async function answered(
  asked: Given,
  io: Io,
  help: string,
  work: (server: Remote, path: string) => Promise<unknown>,
): Promise<number> {
  if (asked.words.length > 0) throw new Usage(`${asked.words.join(' ')} is too much`)
  if (asked.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const name = textOf(asked, 'name') ?? 'postern'
  const answer = await work(remote(asked, io), `/v1/bundles/${encodeURIComponent(name)}`)
  const json = asked.values['json'] === true
  io.stdout(json ? `${printableJson(answer)}\n` : shown(answer as Publication))
  return exits.done
}

function bundleOf(asked: Given): Buffer {
  const file = textOf(asked, 'bundle')
  if (file === undefined) throw new Usage('which bundle? give --bundle FILE')
  return fileBytes(file)
}

function shown({ name, stable, canary }: Publication): string {
  const lines = [
    ...(stable === undefined ? [] : [['all gates', stable] as const]),
    ...(canary === undefined ? [] : [[`canary ${canary.selection}`, canary] as const]),
  ].map(
    ([who, { revision, sequence, digest }]) =>
      `  ${who}: revision ${revision || 'none'}, sequence ${sequence}, sha256 ${digest}\n`,
  )
  return printableLines([`${name}\n`, ...lines])
}

function printableLines(lines: readonly string[]): string {
  return lines.map((line) => `${printable(line.trimEnd())}\n`).join('')
}
