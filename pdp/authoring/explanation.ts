import { printable } from '../commands/printable.ts'
import type { Decision, Input } from '../contract.ts'
import type { Again } from './again.ts'
import type { Entry, Story } from './story.ts'

type Row = readonly [name: string, value: string]

/** A decision on record, explained to a person. */
export function explanationText(
  story: Story,
  input: Input,
  decision: Decision,
  again: Again | undefined,
): string {
  return [
    rowsText([...askedRows(story.decision, input), ...decidedRows(decision)]),
    rowsText(gateRows(story.decision)),
    section('What became of it', story.after.map(eventRow)),
    again === undefined ? '' : againText(again),
  ].join('')
}

function askedRows(entry: Entry, { subject, resource, action }: Input): readonly Row[] {
  const labels = Object.entries(resource.labels).map(([name, value]) => `${name}=${value}`)
  return [
    ['decision', String(entry['decision_id'])],
    ['when', String(entry['timestamp'])],
    ['who', whoText(subject)],
    ['where', [resource.id, `(${resource.protocol})`, ...labels].join(' ')],
    ['what', `${action.name}: ${action.effects.join(', ')}`],
    ...(action.text === undefined ? [] : [['text', action.text] as const]),
    ...action.objects.map(
      ({ kind, name, access }) => ['touches', `${kind} ${name} (${access})`] as const,
    ),
    ...(action.incomplete === undefined ? [] : [['unread', action.incomplete] as const]),
  ]
}

function whoText({ id, type, groups, actor }: Input['subject']): string {
  const hands: string[] = []
  for (let next = actor; next !== null && next !== undefined; next = next.actor)
    hands.push(`${next.id} (${next.type})`)
  const through = hands.length === 0 ? '' : `, through ${hands.join(', ')}`
  return `${id} (${type}; groups ${groups.join(', ') || 'none'})${through}`
}

const made = { allow: 'allowed by', hold: 'held by', deny: 'denied by' } as const

function decidedRows(decision: Decision): readonly Row[] {
  const { effect, reasons, masks, limits, quotas, obligations, hold } = decision
  return [
    ['effect', effect],
    ...reasons.map(
      ({ rule, code, message }) => [made[effect], `${author(rule)}, ${code}: ${message}`] as const,
    ),
    ...reasons.flatMap(({ remedy }) => (remedy === undefined ? [] : [['remedy', remedy] as const])),
    ...masks.map(
      ({ rule, column, entity, path, method, on_predicate: filter }) =>
        [
          'mask',
          `${column ?? entity ?? path}: ${method}, by ${rule}; as a filter: ${filter}`,
        ] as const,
    ),
    ...limits.map(
      ({ rule, metric, max, on_exceed: end }) =>
        [
          'limit',
          `${metric} ${max}, then ${end}${rule === undefined ? '' : `, by ${rule}`}`,
        ] as const,
    ),
    ...quotas.map(
      ({ name, per, metric, max, window_s: window }) =>
        ['quota', `${name}: ${max} ${metric} per ${per} in ${window} s`] as const,
    ),
    ...obligations.map((duty) => ['must', JSON.stringify(duty)] as const),
    ...(hold === undefined
      ? []
      : [
          [
            'hold',
            `${hold.min_approvals} of ${hold.approvers.join(', ')}; bound to ${hold.bind}; ${hold.ttl_s} s`,
          ] as const,
        ]),
  ]
}

function author(rule: string): string {
  return rule === 'postern' ? 'the library' : `policies.${rule}`
}

function gateRows({ bundles, cached, metrics, hold, refused, advisory }: Entry): readonly Row[] {
  const [[name, { revision = '' }] = ['', {}]] = Object.entries(Object(bundles)) as [
    string,
    { revision?: string },
  ][]
  const ns = Number(Reflect.get(Object(metrics), 'timer_rego_query_eval_ns') ?? 0)
  const { id, approved_by: by = [] } = Object(hold) as { id?: string; approved_by?: string[] }
  const { code, message } = Object(refused) as { code?: string; message?: string }
  return [
    ['bundle', name === '' ? 'none' : `${name}, revision ${revision || 'none'}`],
    ['cached', cached === true ? 'yes' : `no, ${(ns / 1000).toFixed(1)} µs`],
    ...(id === undefined ? [] : [['approval', `hold ${id}, by ${by.join(', ')}`] as const]),
    ...(code === undefined ? [] : [['refused', `by the gate: ${message} (${code})`] as const]),
    ...(advisory === true
      ? [['advisory', 'asked through the API: nothing was enforced'] as const]
      : []),
  ]
}

/** What is said above already, or of use to machines alone: --json has it. */
const unsaid = new Set(
  `seq timestamp prev kind session decision_id resource subject issuer approvers min_approvals bind
  parameters digest reviewer_issuer`.split(/\s+/),
)

function eventRow(entry: Entry): Row {
  if (entry['kind'] === 'decision') return ['decision', `${entry['timestamp']}  ${once(entry)}`]
  const facts = Object.entries(entry)
    .filter(([name, value]) => !unsaid.has(name) && value !== undefined)
    .map(([name, value]) => `${name} ${shown(value)}`)
  return [String(entry['kind']), `${entry['timestamp']}  ${facts.join(', ')}`]
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(Number(value.toFixed(3)))
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Decided again when the hold ended: only what is new. */
function once(entry: Entry): string {
  const effect: unknown = Reflect.get(Object(entry['result']), 'effect')
  const passed = gateRows(entry).filter(([name]) => ['approval', 'refused'].includes(name))
  return [`again ${effect}`, ...passed.map(([name, value]) => `${name}: ${value}`)].join('; ')
}

function againText(again: Again): string {
  const { revision, same_revision: known, decision, changes, matched, problem } = again
  const which = `revision ${revision || 'none'}, ${known ? 'the one that decided' : 'another than decided'}`
  const said =
    changes.length === 0
      ? [['answer', `${decision.effect}, as on record`] as const]
      : changes.map(({ direction, what }) => [direction, what] as const)
  const heard = matched.map(
    ({ policy, set, name, counted }) =>
      [counted ? 'counted' : 'also said', `policies.${policy}: ${set} ${name}`] as const,
  )
  const failed = problem === undefined ? [] : [['failed', problem] as const]
  return section(`Asked again: ${which}`, [...said, ...heard, ...failed])
}

function section(title: string, rows: readonly Row[]): string {
  return rows.length === 0 ? '' : `\n${printable(title)}\n${rowsText(rows)}`
}

function rowsText(rows: readonly Row[]): string {
  return rows.map(([name, value]) => `${name.padEnd(10)} ${printable(value)}\n`).join('')
}
