import { type Again, askedAgain } from '../authoring/again.ts'
import { explanationText } from '../authoring/explanation.ts'
import { listeningTo } from '../authoring/members.ts'
import { type Story, storyAt, storyIn } from '../authoring/story.ts'
import type { Decision, Input } from '../contract.ts'
import { decisionOf } from '../engine/decision.ts'
import { recordedOf } from '../impact/recorded.ts'
import type { PolicyBundle } from '../parts.ts'
import { exits, Failure, fileBytes, type Given, given, type Io, textOf, Usage } from './io.ts'
import { printableJson } from './printable.ts'
import { remote, remoteHelp, remoteOptions } from './remote.ts'

const help = `Usage: postern explain DECISION [--folder DIR | --config FILE | --server URL] [--bundle FILE --key FILE]

Shows who asked what, which policies contributed to the decision and how, and what became of it, from the record. With a
bundle, asks it the same again, at the time of the record, and shows what every policy said, counted or not.

  --folder DIR        the folder of the record
  --config FILE       the gate whose record it is (or POSTERN_CONFIG)
${remoteHelp}
  --bundle FILE       a signed bundle to ask again; needs opa
  --key FILE          the public key it must be signed with
  --key-id ID         the name the signature knows the key by
  --demo              accept the published demo key
  --opa PATH          the opa to compile with; found on PATH otherwise
  --json              everything, for machines
`

/** What the composition root adds. */
export type Explaining = {
  /** The bundle the command line names: verified, or an Error that says why not. */
  load(given: Given): Promise<PolicyBundle>
  /** The folder of the record, from the configuration. */
  locate(given: Given): string
}

/** `postern explain`: why a decision on record is what it is. */
export async function explainCommand(
  args: readonly string[],
  io: Io,
  parts: Explaining,
): Promise<number> {
  const options = given(args, {
    ...remoteOptions,
    folder: 'string',
    config: 'string',
    bundle: 'string',
    key: 'string',
    'key-id': 'string',
    demo: 'boolean',
    opa: 'string',
    json: 'boolean',
    help: 'boolean',
  })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const [id, ...more] = options.words
  if (id === undefined || more.length > 0) throw new Usage('which decision? give its id')
  const story = await storyOf(id, options, io, parts)
  const { input, result } = readable(story)
  const again = await againOf(story, options, parts)
  const json = options.values['json'] === true
  io.stdout(
    json
      ? `${printableJson({ ...story, ...(again === undefined ? {} : { again }) })}\n`
      : explanationText(story, input, result, again),
  )
  return exits.done
}

/** A record that was exported, or is older than this program, may lack what is explained. Throws Failure. */
function readable({ decision }: Story): { readonly input: Input; readonly result: Decision } {
  const result = decisionOf(decision['result'])
  const input = decision['input'] as Partial<Input> | undefined
  const { subject, resource, action } = input ?? {}
  const whole = Array.isArray(subject?.groups) && resource?.labels && Array.isArray(action?.objects)
  if (result === undefined || !whole)
    throw new Failure('this entry has no question or no decision that can be read; see audit show')
  return { input: input as Input, result }
}

function storyOf(id: string, options: Given, io: Io, parts: Explaining): Promise<Story> | Story {
  const folder = textOf(options, 'folder')
  if (folder !== undefined) return storyIn(folder, id)
  if (textOf(options, 'server') !== undefined) return storyAt(remote(options, io), id)
  return storyIn(parts.locate(options), id)
}

async function againOf(
  { decision }: Story,
  options: Given,
  parts: Explaining,
): Promise<Again | undefined> {
  const file = textOf(options, 'bundle')
  if (file === undefined) return undefined
  const then = recordedOf(JSON.stringify(decision))
  if (typeof then === 'string')
    throw new Failure(
      'nothing that policy decided for a client: there is nothing to ask a bundle again',
    )
  const bundle = await parts.load(options)
  return askedAgain(then, bundle, await listeningTo(fileBytes(file), textOf(options, 'opa')))
}
