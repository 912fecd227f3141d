import { folderBundle } from '../authoring/module.ts'
import { type Mutated, mutate } from '../authoring/mutation.ts'
import { folderAt } from '../authoring/opa.ts'
import { type Question, questionsIn, recordedQuestions } from '../authoring/questions.ts'
import type { Input } from '../contract.ts'
import { engine } from '../engine/engine.ts'
import type { PolicyBundle } from '../parts.ts'
import { exits, Failure, type Given, given, type Io, textOf, Usage } from './io.ts'
import { printable, printableJson } from './printable.ts'

const help = `Usage: postern check --mutate --bundle FILE --key FILE --inputs FILE
       postern check --mutate --source FOLDER --inputs FILE

Takes every key and every element out of every question, one at a time, and fails where a decision gets weaker: such a
policy takes what is absent for permission.

  --inputs FILE       questions as policy sees them: one as JSON, a list, an object of them by name, or JSON lines
  --from RECORD       the questions of a record, each once, at most 200
  --source FOLDER     policies in a folder, compiled for this
  --opa PATH          the opa to compile with; found on PATH otherwise
  --bundle FILE       a signed bundle
  --key FILE          the public key it must be signed with
  --key-id ID         the name the signature knows the key by
  --demo              accept the published demo key
  --config FILE       bundle and keys of this gate (or POSTERN_CONFIG)
  --json              everything, for machines
`

const recordedMax = 200
const shownMax = 50

/** Where a bundle comes from that the command line names: verified, or an Error that says why not. */
export type LoadMutated = (given: Given) => Promise<PolicyBundle>

/** `postern check --mutate`: whether policies decide weaker for what a question lacks. */
export async function mutateCommand(
  args: readonly string[],
  io: Io,
  load: LoadMutated,
): Promise<number> {
  const options = given(args, {
    mutate: 'boolean',
    inputs: 'string',
    from: 'string',
    source: 'string',
    opa: 'string',
    config: 'string',
    bundle: 'string',
    key: 'string',
    'key-id': 'string',
    demo: 'boolean',
    json: 'boolean',
    help: 'boolean',
  })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const questions = await questionsOf(options)
  const found = await mutated(await bundleOf(options, load), questions)
  io.stdout(options.values['json'] === true ? `${printableJson(found)}\n` : text(found))
  return found.weaknesses.length === 0 ? exits.done : exits.failed
}

async function questionsOf(options: Given): Promise<readonly Question[]> {
  const file = textOf(options, 'inputs')
  const record = textOf(options, 'from')
  if (file === undefined && record === undefined)
    throw new Usage('which questions? give --inputs FILE or --from RECORD')
  const questions = [
    ...(file === undefined ? [] : questionsIn(file)),
    ...(record === undefined ? [] : await recordedQuestions(record, recordedMax)),
  ]
  if (questions.length === 0) throw new Failure('there are no questions: that would prove nothing')
  return questions
}

async function bundleOf(options: Given, load: LoadMutated): Promise<PolicyBundle> {
  const source = textOf(options, 'source')
  if (source === undefined) return load(options)
  if (textOf(options, 'bundle') !== undefined)
    throw new Usage('give --source or --bundle, not both')
  const from = { folder: folderAt(source), command: textOf(options, 'opa') }
  return folderBundle(from, { entrypoints: ['postern/decision'], ignore: '*_test.rego' })
}

async function mutated(bundle: PolicyBundle, questions: readonly Question[]): Promise<Mutated> {
  let clockMs = Date.now()
  const startedMs = clockMs
  const decider = engine({ now: () => clockMs, cacheBytesMax: 0 })
  // What it would answer is asked of a bundle that ran out as well.
  const { expiresMs: _, ...lasting } = bundle
  await decider.activate(lasting)
  return mutate(
    questions,
    (input, atMs) => {
      clockMs = atMs
      return decider.evaluate(input as Input).decision
    },
    startedMs,
  )
}

function text(found: Mutated): string {
  const { questions, deletions, effects, weaknesses, unlisted } = found
  const answers = `${effects.allow} allowed, ${effects.hold} held, ${effects.deny} denied`
  const head = `${questions} questions (${answers}), ${deletions} times without one key or element.\n`
  const rows = weaknesses
    .slice(0, shownMax)
    .map(
      ({ question, without, changes, policies, before, after }) =>
        `\n${printable(question)}, without ${printable(without)}: ${before} -> ${after}\n` +
        `${changes.map((change) => `  ${printable(change)}\n`).join('')}` +
        `  look at: ${printable(policies.join(', '))}\n`,
    )
  const rest = weaknesses.length + unlisted - rows.length
  const more = rest > 0 ? `\n${rest} more; --json lists them.\n` : ''
  const verdict =
    weaknesses.length === 0
      ? 'Nothing got weaker.\n'
      : `\n${weaknesses.length + unlisted} times something absent was taken for permission: ask for what must be there.\n`
  return head + rows.join('') + more + verdict
}
