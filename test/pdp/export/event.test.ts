import { expect, test } from 'vitest'
import { eventOf, shrunk } from '../../../pdp/export/event.ts'
import { decisionNamed } from './kit.ts'

const labels = { id: 'gate', version: '1.2.3' }
const line = (change: object = {}) => {
  const { kind, ...rest } = decisionNamed('d1', change)
  return JSON.stringify({ seq: 7, timestamp: '2026-03-01T12:00:00.000Z', prev: 'f', kind, ...rest })
}
const event = (text: string, erased: readonly string[] = [], masked: readonly string[] = []) =>
  JSON.parse(eventOf(text, { labels, erased, masked })?.text ?? 'null')

test('a decision has the keys of an event of OPA, and ours under custom', () => {
  expect(event(line({ hold: { id: 'h1' }, advisory: undefined }))).toEqual({
    labels: { id: 'gate', version: '1.2.3' },
    decision_id: 'd1',
    bundles: { postern: { revision: 'r1' } },
    path: 'postern/decision',
    input: decisionNamed('d1')['input'],
    result: { effect: 'allow', reasons: [] },
    requested_by: '10.0.0.7',
    timestamp: '2026-03-01T12:00:00.000Z',
    metrics: { timer_rego_query_eval_ns: 7 },
    req_id: 7,
    custom: { session: 's1', hold: { id: 'h1' } },
  })
})

test.each(['outcome', 'session_open', 'checkpoint'])('%s is no event', (kind) => {
  expect(eventOf(line({ kind }), { labels, erased: [], masked: [] })).toBeUndefined()
})

const input = decisionNamed('d1')['input'] as Record<string, unknown>

test.each([
  ['/input/action/text', { ...input, action: { name: 'select' } }],
  ['/input/subject/groups/0', { ...input, subject: { id: 'alice', groups: [null, 'b'] } }],
  ['/input/action', { context: input['context'], subject: input['subject'] }],
])('%s is erased, and the event says so', (pointer, left) => {
  const found = event(line(), [
    pointer,
    '/input/nothing/there',
    '/result/toString',
    '/input/subject/groups/9',
  ])
  expect(found.input).toEqual(left)
  expect(found.erased).toEqual([pointer])
})

test('a masked value is replaced, also under a name with slashes', () => {
  const odd = line({ result: { 'a/b': { '~': 'secret' } } })
  const found = event(odd, [], ['/result/a~1b/~0', '/input/subject/id'])
  expect(found.result).toEqual({ 'a/b': { '~': '**REDACTED**' } })
  expect(found.input.subject.id).toBe('**REDACTED**')
  expect(found.masked).toEqual(['/result/a~1b/~0', '/input/subject/id'])
  expect(JSON.stringify(found)).not.toContain('secret')
})

test('what the record had left out already stays said', () => {
  const found = event(line({ result: undefined, erased: ['/result'] }), ['/input/action'])
  expect(found.erased).toEqual(['/result', '/input/action'])
})

test('a shrunk event keeps what identifies it', () => {
  const whole = eventOf(line(), { labels, erased: [], masked: [] })
  const small = JSON.parse(shrunk(whole ?? { id: '', timestampMs: 0, text: '{}' }).text)
  expect(Object.keys(small).sort()).toEqual([
    'bundles',
    'decision_id',
    'erased',
    'labels',
    'metrics',
    'path',
    'req_id',
    'requested_by',
    'timestamp',
  ])
})
