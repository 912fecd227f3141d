import { z } from 'zod'
import { exits, Failure, given, type Io, meant, textOf, Usage } from './io.ts'
import { printable, printableJson } from './printable.ts'
import { type Remote, remote, remoteHelp, remoteOptions } from './remote.ts'

const help = `Usage: postern holds list [--state STATE] [--resource ID]
       postern holds show ID
       postern holds approve|refuse ID [--note TEXT]

Shows the commands that wait for a person and answers them.

  --state STATE       pending (default), approved, refused, expired, abandoned, used, all
  --resource ID       only holds of this datastore
  --note TEXT         what the asker and the record shall read
  --json              machine-readable output
${remoteHelp}
`

const verbs = ['list', 'show', 'approve', 'refuse'] as const

const holdShape = z.looseObject({
  id: z.string(),
  state: z.string(),
  subject: z.string(),
  actor: z.string().optional(),
  resource: z.string(),
  text: z.string(),
  parameters: z.array(z.string().nullable()),
  effects: z.array(z.string()),
  objects: z.array(z.string()),
  reasons: z.array(z.looseObject({ rule: z.string(), message: z.string() })),
  approvers: z.array(z.string()),
  min_approvals: z.number(),
  expires_ms: z.number(),
  votes: z.array(
    z.looseObject({ by: z.string(), verdict: z.string(), note: z.string().optional() }),
  ),
})
const listShape = z.looseObject({ holds: z.array(holdShape) })

type ShownHold = z.infer<typeof holdShape>

/** `postern holds ...`: lists, shows and answers holds of a running gate. */
export async function holdsCommand(args: readonly string[], io: Io): Promise<number> {
  const options = given(args, {
    ...remoteOptions,
    state: 'string',
    resource: 'string',
    note: 'string',
    json: 'boolean',
    help: 'boolean',
  })
  const [verb, id, ...rest] = options.words
  if (options.values['help'] === true || verb === undefined) {
    io.stdout(help)
    return options.values['help'] === true ? exits.done : exits.usage
  }
  if (rest.length > 0) throw new Usage(`one hold at a time: ${rest.join(' ')} is too much`)
  const show = options.values['json'] === true ? jsonOf : textsOf
  const answer = await answered(verb, id, {
    gate: remote(options, io),
    state: textOf(options, 'state'),
    resource: textOf(options, 'resource'),
    note: textOf(options, 'note'),
  })
  io.stdout(show(answer))
  return exits.done
}

type Asked = {
  readonly gate: Remote
  readonly state: string | undefined
  readonly resource: string | undefined
  readonly note: string | undefined
}

async function answered(verb: string, id: string | undefined, asked: Asked): Promise<Shown> {
  const { gate, note } = asked
  switch (verb) {
    case 'list':
      return { holds: checked(listShape, await gate.get(listPath(asked))).holds }
    case 'show':
      return { hold: checked(holdShape, await gate.get(holdPath(id))) }
    case 'approve':
    case 'refuse': {
      const body = note === undefined ? {} : { note }
      return { hold: checked(holdShape, await gate.post(`${holdPath(id)}/${verb}`, body)) }
    }
    default: {
      const hint = meant(verb, verbs)
      throw new Usage(
        `there is no "postern holds ${printable(verb)}"${hint ? `; did you mean ${hint}?` : ''}`,
      )
    }
  }
}

type Shown = { readonly holds: readonly ShownHold[] } | { readonly hold: ShownHold }

function listPath({ state, resource }: Asked): string {
  const query = new URLSearchParams()
  if (state !== undefined) query.set('state', state)
  if (resource !== undefined) query.set('resource', resource)
  return `/v1/holds?${query}`
}

function holdPath(id: string | undefined): string {
  if (id === undefined) throw new Usage('which hold? "postern holds list" shows their ids')
  return `/v1/holds/${encodeURIComponent(id)}`
}

function checked<Value>(shape: z.ZodType<Value>, answer: unknown): Value {
  const { data, success } = shape.safeParse(answer)
  if (success) return data
  throw new Failure('the server answered something else than a hold; is it a Postern gate?')
}

function jsonOf(shown: Shown): string {
  return `${printableJson('holds' in shown ? shown.holds : shown.hold)}\n`
}

function textsOf(shown: Shown): string {
  if (!('holds' in shown)) return full(shown.hold)
  if (shown.holds.length === 0) return 'Nothing that you may answer or asked for.\n'
  return shown.holds.map(line).join('')
}

function line(hold: ShownHold): string {
  const { id, state, resource, text } = hold
  return `${printable([id, state, resource, asker(hold), text].join('  '))}\n`
}

function full(hold: ShownHold): string {
  const rows: readonly (readonly [string, string])[] = [
    ['hold', `${hold.id}  ${hold.state}`],
    ['asks', asker(hold)],
    ['resource', hold.resource],
    ['command', hold.text],
    ...hold.parameters.map((value, at) => [`  $${at + 1}`, value ?? 'NULL'] as const),
    ['effects', hold.effects.join(', ')],
    ['objects', [...new Set(hold.objects)].join(', ')],
    ...hold.reasons.map(({ rule, message }) => ['because', `${message} (${rule})`] as const),
    ['needs', `${hold.min_approvals} of ${hold.approvers.join(', ')}`],
    ['until', new Date(hold.expires_ms).toISOString()],
    ...hold.votes.map(
      ({ verdict, by, note }) => [verdict, `${by}${note ? `: ${note}` : ''}`] as const,
    ),
  ]
  return rows.map(([name, value]) => `${name.padEnd(9)} ${printable(value)}\n`).join('')
}

function asker({ subject, actor }: ShownHold): string {
  return actor === undefined ? subject : `${actor} for ${subject}`
}
