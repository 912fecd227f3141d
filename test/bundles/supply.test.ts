import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { fileSource } from '../../bundles/file.ts'
import { httpSource } from '../../bundles/http.ts'
import type { Fetched, Source } from '../../bundles/source.ts'
import { folderStore, type Store } from '../../bundles/store.ts'
import { type Supplying, supply } from '../../bundles/supply.ts'
import type { Happening, PolicyBundle } from '../../pdp/parts.ts'
import { bundle, ecPair, scratch, trust } from './kit.ts'

type Step = (known: string | undefined) => Fetched | Promise<Fetched>

/** A source that plays its steps one after the other; after the last nothing changes any more. */
function scripted(...steps: Step[]) {
  const known: (string | undefined)[] = []
  const played = Promise.withResolvers<void>()
  const source: Source = {
    place: 'the script',
    retryMsMax: 2,
    async fetch(tag) {
      known.push(tag)
      const step = steps.shift()
      if (step !== undefined) return step(tag)
      played.resolve()
      return { kind: 'unchanged' }
    },
    changed: (signal) => (steps.length > 0 ? Promise.resolve() : sleep(5, undefined, { signal })),
  }
  return { source, known, played: played.promise }
}

const sends =
  (bytes: Buffer, tag?: string): Step =>
  () => ({ kind: 'bundle', bytes, ...(tag === undefined ? {} : { tag }) })
const unchanged: Step = () => ({ kind: 'unchanged' })
const down: Step = () => Promise.reject(new Error('the script cannot be reached'))

/** A supply that ends with the test, and what came of it. */
function supplying(source: Source, more: Partial<Supplying> = {}) {
  const activated: PolicyBundle[] = []
  const observed: Happening[] = []
  const refreshed: number[] = []
  const confirmed: number[] = []
  const stop = new AbortController()
  const running = supply({
    name: 'main',
    source,
    trust,
    store: folderStore(scratch(), 'main'),
    activate: async (bundle, confirmedMs) => {
      activated.push(bundle)
      if (confirmedMs !== undefined) confirmed.push(confirmedMs)
    },
    refreshed: (at) => refreshed.push(at),
    observe: (happening) => observed.push(happening),
    signal: stop.signal,
    ...more,
  })
  const end = () => {
    stop.abort()
    return running.ended
  }
  onTestFinished(end)
  const revisions = () => activated.map(({ revision }) => revision)
  const changes = () => observed.map((one) => ('change' in one ? one.change : one.kind))
  return { ...running, end, revisions, changes, observed, refreshed, confirmed }
}

test('each new bundle is activated exactly once, in order', async () => {
  const [one, two, three] = await Promise.all(
    [1, 2, 3].map((n) => bundle(`r${n}`, { sequence: n })),
  )
  if (!one || !two || !three) throw new Error('three bundles were made')
  const { source, known, played } = scripted(
    sends(one, 'a'),
    sends(one, 'b'),
    unchanged,
    sends(two, 'c'),
    sends(two, 'c'),
    sends(three),
    unchanged,
  )
  const running = supplying(source)
  await played
  expect(running.revisions()).toEqual(['r1', 'r2', 'r3'])
  expect(running.changes()).toEqual(['activated', 'activated', 'activated'])
  expect(known.slice(0, 7)).toEqual([undefined, 'a', 'b', 'b', 'c', 'c', undefined])
  expect(running.refreshed.length).toBeGreaterThanOrEqual(7)
  expect(running.status()).toMatchObject({ active_revision: 'r3', active_sequence: 3 })
  expect(running.status().message).toBeUndefined()
})

test('a source that comes and goes changes nothing but the status', async () => {
  const one = await bundle('r1', { sequence: 1 })
  const two = await bundle('r2', { sequence: 2 })
  const { source, known, played } = scripted(
    down,
    down,
    sends(one, 'a'),
    down,
    down,
    unchanged,
    down,
    sends(two, 'b'),
  )
  const running = supplying(source)
  await played
  expect(running.revisions()).toEqual(['r1', 'r2'])
  expect(running.changes()).toEqual([
    'unreachable',
    'activated',
    'unreachable',
    'unreachable',
    'activated',
  ])
  expect(known.slice(3, 8)).toEqual(['a', 'a', 'a', 'a', 'a'])
})

test.each<[string, () => Promise<Buffer>, string]>([
  ['garbage', async () => Buffer.from('hello'), 'not a gzip'],
  ['another key', () => bundle('r9', { pem: ecPair().private, sequence: 9 }), 'trusted key'],
  ['an older sequence', () => bundle('r0', { sequence: 4 }), 'is older than 5'],
  ['a used sequence', () => bundle('r9', { sequence: 5 }), 'already used'],
  ['an expired one', () => bundle('r9', { sequence: 9, expiresMs: 1000 }), 'expired'],
])(
  '%s is never activated, the running bundle stays, and the reason is shown',
  async (_what, make, why) => {
    const bad = await make()
    const good = await bundle('r5', { sequence: 5 })
    const better = await bundle('r6', { sequence: 6 })
    const shown: unknown[] = []
    const { source, known, played } = scripted(
      sends(good, 'good'),
      sends(bad, 'bad'),
      sends(bad, 'bad'),
      (tag) => {
        shown.push(running.status())
        return sends(better, 'better')(tag)
      },
    )
    const running = supplying(source)
    await played
    expect(running.revisions()).toEqual(['r5', 'r6'])
    expect(shown).toMatchObject([
      { active_revision: 'r5', code: 'bundle_error', message: expect.stringContaining(why) },
    ])
    expect(running.changes()).toEqual(['activated', 'refused', 'activated'])
    expect(known.slice(0, 4)).toEqual([undefined, 'good', 'good', 'good'])
    expect(running.status().message).toBeUndefined()
  },
)

test('a bundle that cannot be activated is refused, not kept, and tried again', async () => {
  const one = await bundle('r1', { sequence: 1 })
  const two = await bundle('r2', { sequence: 2 })
  const folder = scratch()
  const tries: string[] = []
  const { source, known, played } = scripted(sends(one, 'a'), sends(two, 'b'), sends(two, 'b'))
  const running = supplying(source, {
    store: folderStore(folder, 'main'),
    activate: async ({ revision }) => {
      tries.push(revision)
      if (tries.length !== 2) return
      expect(readFileSync(join(folder, 'main.tar.gz'))).toEqual(one)
      throw new Error('the module lacks a builtin')
    },
  })
  await played
  expect(tries).toEqual(['r1', 'r2', 'r2'])
  expect(known.slice(0, 3)).toEqual([undefined, 'a', 'a'])
  expect(running.observed).toContainEqual({
    kind: 'bundle',
    change: 'refused',
    name: 'main',
    message: 'the module lacks a builtin',
  })
  expect(readFileSync(join(folder, 'main.tar.gz'))).toEqual(two)
})

test('after a restart the kept bundle runs while the source is away, as stale as it was', async () => {
  const folder = scratch()
  const store = folderStore(folder, 'main')
  const before = scripted(sends(await bundle('r1', { sequence: 1 })))
  const first = supplying(before.source, { store })
  await before.played
  await first.end()
  const { refreshedMs } = await store.memory()
  const after = scripted(down, down)
  const second = supplying(after.source, { store: folderStore(folder, 'main') })
  await second.tried
  expect(second.revisions()).toEqual(['r1'])
  expect(second.confirmed).toEqual([refreshedMs])
  expect(second.refreshed).toEqual([])
  expect(second.changes()).toEqual(['activated', 'unreachable'])
})

test.each<[string, (folder: string) => Promise<void>, string]>([
  ['changed', async (f) => writeFileSync(join(f, 'main.tar.gz'), 'x'), 'not a gzip'],
  [
    'replaced by an older one',
    async (f) => writeFileSync(join(f, 'main.tar.gz'), await bundle('r0', { sequence: 1 })),
    'is older than 2',
  ],
  [
    'replaced by one of another key',
    async (f) =>
      writeFileSync(join(f, 'main.tar.gz'), await bundle('r9', { pem: ecPair().private })),
    'trusted key',
  ],
  ['beside a broken state', async (f) => writeFileSync(join(f, 'main.json'), '{'), 'main.json'],
])('a kept bundle that was %s is not used', async (_what, harm, why) => {
  const folder = scratch()
  const before = scripted(sends(await bundle('r2', { sequence: 2 })))
  const first = supplying(before.source, { store: folderStore(folder, 'main') })
  await before.played
  await first.end()
  await harm(folder)
  const second = supplying(scripted(down).source, { store: folderStore(folder, 'main') })
  await second.tried
  expect(second.revisions()).toEqual([])
  expect(second.refreshed).toEqual([])
  expect(second.observed[0]).toMatchObject({ message: expect.stringContaining(why) })
})

test('with a broken state nothing is accepted from the source either', async () => {
  const folder = scratch()
  writeFileSync(join(folder, 'main.json'), '{')
  const { source, played } = scripted(sends(await bundle('r1', { sequence: 1 })))
  const running = supplying(source, { store: folderStore(folder, 'main') })
  await played
  expect(running.revisions()).toEqual([])
  expect(running.observed[0]).toMatchObject({ message: expect.stringContaining('main.json') })
})

test('a rollback is refused across a restart', async () => {
  const folder = scratch()
  const before = scripted(sends(await bundle('r8', { sequence: 8 })))
  const first = supplying(before.source, { store: folderStore(folder, 'main') })
  await before.played
  await first.end()
  const after = scripted(sends(await bundle('r7', { sequence: 7 })))
  const second = supplying(after.source, { store: folderStore(folder, 'main') })
  await after.played
  expect(second.revisions()).toEqual(['r8'])
})

test('"unchanged" without any bundle is a fault of the source', async () => {
  const { source, played } = scripted(unchanged, unchanged)
  const running = supplying(source)
  await played
  expect(running.refreshed).toEqual([])
  expect(running.status()).toMatchObject({ code: 'bundle_error' })
})

test('a bundle that expires while it runs is not refreshed any more', async () => {
  const soon = await bundle('r1', {
    sequence: 1,
    expiresMs: Math.ceil(Date.now() / 1000) * 1000 + 1000,
  })
  const { source, played } = scripted(sends(soon, 'a'), unchanged, async () => {
    await sleep(2_100)
    return { kind: 'unchanged' }
  })
  const running = supplying(source)
  await played
  expect(running.status().message).toContain('the running bundle expired')
  expect(running.refreshed).toHaveLength(2)
})

test('a full disk is shown, the bundle runs, and it is kept as soon as that works', async () => {
  const real = folderStore(scratch(), 'main')
  const bytes = await bundle('r1', { sequence: 1 })
  let failures = 2
  const store: Store = {
    ...real,
    keep: (kept) => (failures-- > 0 ? Promise.reject(new Error('no space')) : real.keep(kept)),
  }
  const { source, known, played } = scripted(
    sends(bytes, 'a'),
    sends(bytes, 'a'),
    sends(bytes, 'a'),
  )
  const running = supplying(source, { store })
  await played
  expect(running.revisions()).toEqual(['r1'])
  expect(running.observed).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('no space') }),
  )
  expect(known.slice(0, 4)).toEqual([undefined, undefined, undefined, 'a'])
  expect(await real.last()).toEqual(bytes)
  expect(running.status().message).toBeUndefined()
})

test('a source that hangs is left when the supply ends', async () => {
  const hanging: Source = {
    place: 'nowhere',
    retryMsMax: 1,
    fetch: (_known, signal) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
    changed: () => Promise.resolve(),
  }
  const running = supplying(hanging)
  await running.end()
  expect(running.observed).toEqual([])
})

test('over HTTP: long polls, 304, garbage, silence, redirects, errors; each bundle once', async () => {
  const held: ServerResponse[] = []
  const script: ((response: ServerResponse) => unknown)[] = [
    (r) => r.writeHead(503).end(),
    (r) => r.writeHead(302, { location: '/x' }).end(),
    (r) => r.writeHead(200, { etag: '"bad"' }).end('garbage'),
    () => 'silence',
    (r) => r.destroy(),
  ]
  let current = { etag: '"1"', bytes: await bundle('r1', { sequence: 1 }) }
  const give = (r: ServerResponse) =>
    r
      .writeHead(200, {
        etag: current.etag,
        'content-type': 'application/vnd.openpolicyagent.bundles',
      })
      .end(current.bytes)
  const server = createServer((request, response) => {
    const step = script.shift()
    if (step !== undefined) step(response)
    else if (request.headers['if-none-match'] === current.etag) held.push(response)
    else give(response)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const source = httpSource({ url: `http://127.0.0.1:${port}/b`, timeoutMs: 300, longPollS: 60 })
  const running = supplying({ ...source, retryMsMax: 5 })
  await expect.poll(() => held.length, { timeout: 8_000, interval: 5 }).toBe(1)
  expect(running.revisions()).toEqual(['r1'])
  held.pop()?.writeHead(502).end()
  await expect.poll(() => held.length, { interval: 5 }).toBe(1)
  current = { etag: '"2"', bytes: await bundle('r2', { sequence: 2 }) }
  give(held.pop() as ServerResponse)
  await expect.poll(() => held.length, { interval: 5 }).toBe(1)
  expect(running.revisions()).toEqual(['r1', 'r2'])
  expect(running.status()).toMatchObject({ active_revision: 'r2' })
  expect(running.status().message).toBeUndefined()
})

test('from a file: a bad file changes nothing, a good one is picked up', async () => {
  const path = join(scratch(), 'b.tar.gz')
  writeFileSync(path, await bundle('r1', { sequence: 1 }))
  const running = supplying(fileSource(path))
  await running.tried
  writeFileSync(path, 'half a bund')
  await expect
    .poll(() => running.status().code, { interval: 5, timeout: 5_000 })
    .toBe('bundle_error')
  writeFileSync(path, await bundle('r2', { sequence: 2 }))
  await expect
    .poll(() => running.revisions(), { interval: 5, timeout: 5_000 })
    .toEqual(['r1', 'r2'])
})
