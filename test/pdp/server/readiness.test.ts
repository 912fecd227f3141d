import { expect, test } from 'vitest'
import type { AuditStatus } from '../../../pdp/audit/log.ts'
import type { EngineStatus } from '../../../pdp/engine/engine.ts'
import { type Readiness, unreadyReasons } from '../../../pdp/server/readiness.ts'

const bundle: NonNullable<EngineStatus['bundle']> = {
  name: 'shop',
  revision: 'r1',
  digest: 'd1',
  activated_ms: 0,
  refreshed_ms: 0,
  age_ms: 0,
  stale: false,
  marshalling: 'direct',
  replacements: 0,
  memory_bytes: 1_000_000,
}
const engine: EngineStatus = {
  bundle,
  evaluations: 0,
  failures: 0,
  cache: { hits: 0, entries: 0, bytes: 0 },
}
const audit: AuditStatus = {
  entries: 0,
  file: 'f',
  file_bytes: 0,
  head: { seq: 0, hash: 'h', timestamp: 't' },
  unsigned: 0,
  pending: 0,
  lag_ms: 0,
  dropped: 0,
}
const fine: Readiness = { engine, audit, bundleProblem: undefined, phase: 'serving' }
const { bundle: _none, ...withoutBundle } = engine
const failed = { since: '2025-06-01T00:00:00Z', reason: 'ENOSPC' }

test.each<[string, Partial<Readiness>, readonly string[]]>([
  ['all is well', {}, []],
  ['there is nothing to decide', { engine: undefined }, []],
  ['a late problem with the next bundle', { bundleProblem: 'the file is gone' }, []],
  ['the start', { phase: 'starting' }, ['the listeners are not open yet']],
  ['the end', { phase: 'stopping' }, ['the gate is stopping']],
  ['no bundle', { engine: withoutBundle }, ['no policy bundle is active']],
  [
    'no bundle for a reason',
    { engine: withoutBundle, bundleProblem: 'not signed' },
    ['no policy bundle is active: not signed'],
  ],
  [
    'a stale bundle',
    { engine: { ...engine, bundle: { ...bundle, stale: true } } },
    ['the policy bundle is stale or expired'],
  ],
  [
    'a record that cannot be written',
    { audit: { ...audit, failed } },
    ['the record cannot be written since 2025-06-01T00:00:00Z'],
  ],
  [
    'everything at once',
    { engine: withoutBundle, audit: { ...audit, failed }, phase: 'starting' },
    [
      'the listeners are not open yet',
      'no policy bundle is active',
      'the record cannot be written since 2025-06-01T00:00:00Z',
    ],
  ],
])('readiness with %s', (_name, change, reasons) => {
  expect(unreadyReasons({ ...fine, ...change })).toEqual(reasons)
})
