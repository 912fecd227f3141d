import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { writeArchive } from '../../bundles/archive.ts'
import type { Source } from '../../bundles/source.ts'
import { folderStore } from '../../bundles/store.ts'
import { supply } from '../../bundles/supply.ts'
import type { BundleFile } from '../../bundles/tar.ts'
import { verifyBundle } from '../../bundles/verify.ts'
import { engine } from '../../pdp/engine/engine.ts'
import type { Engine, Verdict } from '../../pdp/parts.ts'
import { ecPair, edit, scratch, trust } from '../bundles/kit.ts'
import { bundle as regoBundle } from '../pdp/engine/kit.ts'
import { allow, engine as byFunction, clock, decision } from '../pdp/kit.ts'
import { eachAlone, type Ground, mark } from './ground.ts'
import { compiled, ruledBy, signed } from './policies.ts'
import { type Stand, stand } from './stand.ts'

/** Says yes to whatever can be read. */
const open = 'package policies.open\n\nallow contains {"code": "open"}\n'
const accepting =
  'package policies.open\n\nallow contains {"code": "open", "accept_incomplete": true}\n'
const closed =
  'package policies.closed\n\nallow contains {"code": "in"} if input.phase == "connect"\n'

/** Invariants 2, 4 and 8: what a gate does without a policy it can rely on. */
export function engines(ground: Ground): void {
  const { fixture } = ground
  const missing = 'invariant 2: no engine, no bundle, stale, undefined, malformed, thrown, late'

  /** Nobody gets in, or if somebody was, nothing is done. */
  async function refusesAll(here: Stand): Promise<void> {
    const said = mark('allow')
    await eachAlone(here, fixture.says.allowed(said), (told) => {
      const refusals = [...told.client.welcome.refusals, ...told.said.refusals]
      expect(refusals.length, told.phrase.name).toBeGreaterThan(0)
      expect(here.tap.carried(said), told.phrase.name).toBe(false)
    })
  }

  const wrong: readonly (readonly [string, () => Verdict])[] = [
    ['throws', () => thrown()],
    ['answers undefined', () => undefined as never],
    ['answers late', () => Promise.resolve(verdict(allow)) as never],
    ['answers without a decision', () => ({ cached: false, ns: 1 }) as never],
    ['answers null', () => verdict(null)],
    ['answers true', () => verdict(true)],
    ['answers another effect', () => verdict({ ...allow, effect: 'maybe' })],
    ['answers several effects', () => verdict({ ...allow, effect: ['allow'] })],
    ['says only that it allows', () => verdict({ effect: 'allow' })],
    ['holds without saying for whom', () => verdict({ ...allow, effect: 'hold' })],
    ['asks for an unknown mask', () => verdict(masked({ column: 'a.b.c', method: 'rot13' }))],
    ['asks for a mask of nothing', () => verdict(masked({ method: 'redact' }))],
    ['asks for an unknown limit', () => verdict(decision({ limits: [{ metric: 'w' }] as never }))],
    ['asks for an unknown duty', () => verdict(decision({ obligations: [{ name: 'fly' }] }))],
  ]

  test.each(wrong)(`${missing}: an engine that %s`, async (_, say) => {
    const judge = byFunction(() => allow)
    const evaluate: Engine['evaluate'] = (input) =>
      input.phase === 'connect' ? judge.evaluate(input) : say()
    await refusesAll(await stand(fixture, ground.datastore, { engine: { evaluate } }))
    const nobody = await stand(fixture, ground.datastore, { engine: { evaluate: say } })
    await refusesAll(nobody)
    expect(nobody.tap.connections()).toBe(0)
  })

  test(`${missing}: the real engine without a bundle`, async () => {
    const here = await stand(fixture, ground.datastore, { engine: engine() })
    await refusesAll(here)
    expect(here.tap.connections()).toBe(0)
  })

  // A plain question is answered, or the bundle would not be taken at all.
  const plain = `package postern
import rego.v1
said := {"reasons": [{"rule": "r", "code": "c", "message": "m"}], "masks": [], "limits": [], "quotas": [], "obligations": []}
warm if input.resource.id == "warm-up"
decision := object.union(said, {"effect": "allow"}) if warm
`
  test.each([
    ['undefined', ''],
    ['malformed', 'decision := {"effect": "allow"} if not warm'],
    ['a word', 'decision := "allow" if not warm'],
    ['contradictory', 'decision := "allow" if not warm\ndecision := "deny" if not warm'],
    ['an error', 'decision := said if { not warm; to_number(input.resource.id) > 0 }'],
  ])(`${missing}: a real bundle whose decision is %s`, async (_, rule) => {
    const real = engine()
    await real.activate(regoBundle({ rego: plain + rule }))
    const evaluate: Engine['evaluate'] = (input) =>
      input.phase === 'connect' ? verdict(allow) : real.evaluate(input)
    await refusesAll(await stand(fixture, ground.datastore, { engine: { evaluate } }))
    expect(real.status().failures).toBeGreaterThan(0)
  })

  test(`${missing}: a bundle that grows stale under an open session`, async () => {
    const time = clock(Date.now())
    const real = engine({ staleAfterMs: 60_000, now: time.now })
    await real.activate(await verified(await signed(files.open)))
    const here = await stand(fixture, ground.datastore, { engine: real })
    const client = await here.connect()
    const [first, second] = [mark('allow'), mark('allow')]
    const ways = fixture.says.allowed(first)
    for (const phrase of ways) expect((await client.say(phrase)).refusals).toEqual([])
    time.pass(60_001)
    for (const phrase of fixture.says.allowed(second))
      expect((await client.say(phrase)).refusals, phrase.name).toContain('stale_bundle')
    expect(here.tap.carried(first)).toBe(true)
    expect(here.tap.carried(second)).toBe(false)
  })

  let files: { readonly open: readonly BundleFile[]; readonly closed: readonly BundleFile[] }
  beforeAll(async () => {
    files = {
      open: await compiled({ 'open.rego': open }, {}, 'open'),
      closed: await compiled({ 'closed.rego': closed }, {}, 'closed'),
    }
  })

  const unread = 'invariant 4: an incomplete command matches only an allow that asks for it'
  if (fixture.skip?.incomplete === undefined)
    test(unread, async () => {
      const readable = await stand(fixture, ground.datastore, {
        engine: await ruledBy({ 'open.rego': open }),
      })
      const said = mark('allow')
      await eachAlone(readable, fixture.says.incomplete(said), (told) => {
        expect(told.said.refusals, told.phrase.name).toContain('incomplete_command')
        expect(readable.tap.carried(said), told.phrase.name).toBe(false)
      })
      await eachAlone(readable, fixture.says.allowed(said), (told) => {
        expect(told.said.refusals, told.phrase.name).toEqual([])
      })
      const anything = await stand(fixture, ground.datastore, {
        engine: await ruledBy({ 'open.rego': accepting }),
      })
      const asked = mark('allow')
      await eachAlone(anything, fixture.says.incomplete(asked), (told) => {
        expect(told.said.refusals, told.phrase.name).toEqual([])
      })
      expect(anything.tap.carried(asked)).toBe(true)
    })
  else test(`${unread} (not here: ${fixture.skip.incomplete.reason})`, { skip: true }, () => {})

  const older = 'invariant 8: an unverified or older bundle is never evaluated'
  const other = ecPair()
  const bad: readonly (readonly [string, () => Promise<Buffer>])[] = [
    ['is not signed', async () => writeArchive(files.open)],
    ['is signed by a stranger', () => signed(files.open, { sequence: 9, pem: other.private })],
    ['is older', () => signed(files.open, { sequence: 4 })],
    ['has the sequence of the running one', () => signed(files.open, { sequence: 5 })],
    ['has expired', () => signed(files.open, { sequence: 9, expiresMs: Date.now() - 1000 })],
    ['comes from the future', () => signed(files.open, { sequence: 9, nowMs: Date.now() + 1e9 })],
    ['was changed after it was signed', () => tampered(files.closed, files.open)],
    ['is cut off', async () => (await signed(files.open, { sequence: 9 })).subarray(0, -100)],
  ]
  test.each(bad)(`${older}: one that %s`, async (_, make) => {
    const real = engine()
    const source = served(await signed(files.closed, { sequence: 5 }))
    const stop = new AbortController()
    const running = supply({
      name: 'main',
      source,
      trust,
      store: folderStore(scratch(), 'main'),
      activate: (bundle, atMs) => real.activate(bundle, atMs),
      refreshed: (atMs) => real.refreshed(atMs),
      observe: () => undefined,
      signal: stop.signal,
    })
    await running.tried
    const here = await stand(fixture, ground.datastore, { engine: real })
    try {
      await refusesAll(here)
      source.give(await make())
      await expect.poll(() => running.status().code, { interval: 1 }).toBe('bundle_error')
      await refusesAll(here)
      expect(real.status().bundle?.revision).toBe('closed')
      source.give(await signed(files.open, { sequence: 10 }))
      await expect.poll(() => real.status().bundle?.revision, { interval: 1 }).toBe('open')
      const said = mark('allow')
      await eachAlone(here, fixture.says.allowed(said), (told) => {
        expect(told.said.refusals, told.phrase.name).toEqual([])
      })
    } finally {
      stop.abort()
      await running.ended
    }
  })
}

function thrown(): never {
  throw new Error('the engine broke')
}

function verdict(said: unknown): Verdict {
  const bundle = { name: 'main', revision: 'r1', digest: 'd' }
  return { decision: said as never, bundle, cached: false, ns: 1 }
}

function masked(rule: object): unknown {
  return { ...allow, masks: [{ rule: 'test', on_predicate: 'deny', ...rule }] }
}

function verified(bytes: Buffer) {
  return verifyBundle(bytes, trust, { name: 'main' })
}

/** The signature of one over the policy of the other. */
async function tampered(told: readonly BundleFile[], put: readonly BundleFile[]): Promise<Buffer> {
  const { readArchive } = await import('../../bundles/archive.ts')
  const signedFiles = await readArchive(await signed(told, { sequence: 9 }))
  const wasm = put.find(({ name }) => name === 'policy.wasm')
  return writeArchive(edit(signedFiles, 'policy.wasm', wasm?.content))
}

/** A source that gives what it was given last. */
function served(first: Buffer): Source & { give(bytes: Buffer): void } {
  let bytes = first
  let version = 0
  return {
    place: 'the test',
    retryMsMax: 2,
    async fetch(known) {
      const tag = `v${version}`
      return known === tag ? { kind: 'unchanged' } : { kind: 'bundle', bytes, tag }
    },
    changed: (signal) => sleep(2, undefined, { signal }),
    give(next) {
      bytes = next
      version += 1
    },
  }
}
