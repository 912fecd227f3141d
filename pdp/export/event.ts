import { type Redaction, redact } from './redact.ts'

type Fields = Readonly<Record<string, unknown>>

/** A decision in the form of OPA's decision log, as JSON text. */
export type Event = { readonly id: string; readonly timestampMs: number; readonly text: string }

export type EventOptions = Redaction & {
  /** Tell this gate from others. */
  readonly labels: Readonly<Record<string, string>>
}

/** The names that OPA's events have; what else the record holds goes under `custom`. */
const opas = [
  'decision_id',
  'batch_decision_id',
  'bundles',
  'path',
  'input',
  'result',
  'error',
  'requested_by',
  'timestamp',
  'metrics',
] as const

const ownNames = new Set<string>([...opas, 'kind', 'seq', 'prev', 'labels', 'erased'])

/** Turns a line of the record into an event; undefined when it is no decision. */
export function eventOf(line: string, options: EventOptions): Event | undefined {
  const entry = JSON.parse(line) as Fields
  if (entry['kind'] !== 'decision') return undefined
  const event = formed(entry, options.labels)
  const { erased = [], masked } = redact(event, options)
  const all = [...list(entry['erased']), ...erased]
  const marks = { ...(all.length > 0 && { erased: all }), ...(masked && { masked }) }
  return textOf({ ...event, ...marks })
}

/** The event without what makes it large; what is left says so. */
export function shrunk({ text }: Event): Event {
  const { input, result, custom, ...rest } = JSON.parse(text) as Fields
  const gone = [
    ...(input === undefined ? [] : ['/input']),
    ...(result === undefined ? [] : ['/result']),
    ...(custom === undefined ? [] : ['/custom']),
  ]
  return textOf({ ...rest, erased: [...list(rest['erased']), ...gone] })
}

function formed(entry: Fields, labels: EventOptions['labels']): Fields {
  const known = opas.flatMap((name) => (entry[name] === undefined ? [] : [[name, entry[name]]]))
  const others = Object.entries(entry).filter(([name]) => !ownNames.has(name))
  const peer = peerOf(entry['input'])
  return {
    labels: { ...labels, ...fields(entry['labels']) },
    ...(peer !== undefined && { requested_by: peer }),
    ...Object.fromEntries(known),
    // The number of the entry: ascending, without gaps over all kinds of entries.
    req_id: entry['seq'],
    ...(others.length > 0 && { custom: Object.fromEntries(others) }),
  }
}

function textOf(event: Fields): Event {
  return {
    id: String(event['decision_id'] ?? ''),
    timestampMs: Date.parse(String(event['timestamp'])) || 0,
    text: JSON.stringify(event),
  }
}

function peerOf(input: unknown): string | undefined {
  const peer = fields(fields(input)['context'])['peer']
  return typeof peer === 'string' && peer !== '' ? peer : undefined
}

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
