import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { SqlFacts } from '../../sidecars/sql/facts.ts'
import { type Client, errors, type Mode, refused, results, visible } from './client.ts'
import { type Row, rows } from './rows.ts'
import { play, type Turn } from './script.ts'
import { type Decided, type Stage, stage, type Variant, variants } from './stage.ts'
import { elsewhere, open, type Script, scripts, tooStrict } from './tables.ts'

const attacks = [...rows('postgres'), ...rows('postgres-own')]

let here: Stage
beforeAll(async () => {
  here = await stage()
})
afterAll(() => here.stop())
afterEach(() => restored())

const changed = (list: readonly Decided[]): boolean =>
  list.some(
    ({ result, refused, prepare, input }) =>
      result.effect === 'allow' &&
      refused === undefined &&
      prepare !== true &&
      input.action.effects.some((effect) => effect !== 'read' && effect !== 'session'),
  )

type Frames = readonly Buffer[]

const isText = (one: string | Turn): one is string => typeof one === 'string'

async function said(client: Client, row: Row, mode: Mode): Promise<readonly Frames[]> {
  const answers: Frames[] = []
  for (const text of row.input.filter(isText)) answers.push(await client.say(text, mode))
  // Notifications come with the next answer.
  answers.push(await client.say(''))
  client.close()
  return answers
}

async function attack(row: Row, variant: Variant, mode: Mode): Promise<readonly Frames[]> {
  if (/dblink/.test(row.setup)) await meddle(variant, 'CREATE EXTENSION IF NOT EXISTS dblink')
  return said(await here.connect(variant, { statement_timeout: '10s' }), row, mode)
}

let meddled = false

async function meddle(variant: Variant, sql: string): Promise<void> {
  meddled = true
  const client = await here.direct(variant)
  expect(errors(await client.say(sql))).toEqual([])
  client.close()
}

async function played(script: Script, variant: Variant): Promise<readonly Frames[]> {
  const { turns, settings } = script
  const client = await here.connect(variant, { statement_timeout: '10s', ...settings })
  const answers = await play(turns, { client, elsewhere: (sql) => meddle(variant, sql) })
  client.close()
  return answers
}

async function restored(): Promise<void> {
  const dirty = changed(here.decided())
  if (meddled) await here.reopen()
  else if (dirty) await here.restore()
  meddled = false
}

/** The server may answer the same in another order. */
const unordered = (frames: Frames): readonly string[] => [...visible(frames)].sort()

const of = (type: Row['check']['type']) =>
  attacks
    .filter(({ check, protocol }) => check.type === type && protocol === undefined)
    .map((row) => [row.id, row.input.join('; '), row] as const)

/** What redacting leaves of a text. */
const redacted = '[redacted]'

const modes: readonly Mode[] = ['simple', 'extended', 'binary']

describe('nothing that can be seen depends on a protected value', () => {
  test.each(of('no_leak'))('%s %s', async (_, __, row) => {
    for (const mode of modes) {
      const [a, b] = await Promise.all(variants.map((variant) => attack(row, variant, mode)))
      expect(a?.map(visible)).toEqual(b?.map(visible))
      await restored()
    }
  })
})

const messages = attacks
  .filter(({ protocol }) => protocol === 'messages')
  .map((row) => [row.id, row.notes, row] as const)

describe('nor whatever messages are sent in whatever order', () => {
  for (const [id, notes, row] of messages) {
    const turns = row.input.filter((one): one is Turn => !isText(one))
    const run = id in open ? test.fails : test
    run(`${id} ${notes}`, async () => {
      const [a, b] = await Promise.all(variants.map((variant) => played({ turns }, variant)))
      expect(a?.map(visible)).toEqual(b?.map(visible))
    })
  }
})

describe('attacks on the protocol', () => {
  test.each(Object.entries(scripts))('%s', async (_, script) => {
    if (script.closed) {
      await expect(played(script, 'demo_a')).rejects.toThrow('is not passed on')
      return
    }
    const [a, b] = await Promise.all(variants.map((variant) => played(script, variant)))
    expect(a?.map(visible)).toEqual(b?.map(visible))
    if (script.refused) expect(refused(a?.at(-1) ?? [])).toBe(true)
    if (script.writes !== undefined)
      expect(touched(here.decided(), 'write')).toContain(script.writes)
  })

  test('all of them are played, here or elsewhere', () => {
    const wire = attacks.filter(({ check }) => check.type === 'wire').map(({ id }) => id)
    expect([...Object.keys(scripts), ...Object.keys(elsewhere)].sort()).toEqual([...wire].sort())
  })
})

test('without a gate the same attacks tell the databases apart', async () => {
  const servers = await Promise.all(variants.map((variant) => here.direct(variant)))
  for (const server of servers) await server.say('SET default_transaction_read_only = on')
  const leaking = attacks.filter(
    ({ check, input, verified }) =>
      check.type === 'no_leak' && input.length === 1 && verified?.raw_leak?.includes('rows'),
  )
  let apart = 0
  for (const { input } of leaking) {
    const [a, b] = await Promise.all(servers.map((server) => server.say(input.find(isText) ?? '')))
    if (visible(a ?? []).join() !== visible(b ?? []).join()) apart += 1
  }
  for (const server of servers) server.close()
  expect(leaking.length).toBeGreaterThan(100)
  expect(apart).toBeGreaterThan(leaking.length * 0.9)
})

describe('what is done is known', () => {
  test.each(of('effect'))('%s %s', async (_, __, row) => {
    const answers = await attack(row, 'demo_a', 'simple')
    const found = here.decided()
    const done = new Set(found.flatMap(({ input }) => input.action.effects))
    if (done.has('execute') || done.has('unknown')) {
      expect(answers.some(refused)).toBe(true)
      return
    }
    const kinds = found.flatMap(kindsOf)
    for (const kind of row.check.effects ?? [])
      expect(kinds.some((one) => one.startsWith(kind))).toBe(true)
    expect(touched(found, 'write')).toEqual(expect.arrayContaining([...(row.check.writes ?? [])]))
    expect(touched(found, 'read')).toEqual(expect.arrayContaining([...(row.check.reads ?? [])]))
  })
})

const kindsOf = ({ input }: Decided): readonly string[] => (input.action['sql'] as SqlFacts).kinds

const touched = (list: readonly Decided[], access: string): readonly string[] =>
  list.flatMap(({ input }) =>
    input.action.objects.filter((one) => one.access === access).map((one) => one.name),
  )

describe('what must be refused is refused', () => {
  test.each(of('deny'))('%s %s', async (_, __, row) => {
    for (const mode of modes) {
      const answers = await attack(row, 'demo_a', mode)
      expect(refused(answers[row.input.length - 1] ?? [])).toBe(true)
    }
  })
})

describe('what is harmless passes, and is true', () => {
  for (const [id, text, row] of of('allow')) {
    const run = id in tooStrict ? test.fails : test
    run(`${id} ${text}`, async () => {
      for (const variant of variants) {
        const answers = await attack(row, variant, 'simple')
        expect(answers.flatMap(errors)).toEqual([])
        const found = here.decided()
        const { not_write } = row.check
        if (not_write !== undefined) expect(touched(found, 'write')).not.toContain(not_write)
        if (changed(found)) await here.restore()
        const truth = await said(await here.direct(variant), row, 'simple')
        expect(answers.map(unordered)).toEqual(truth.map(unordered))
        if (changed(found)) await here.restore()
      }
    })
  }
})

describe('what is masked is masked, and nothing else', () => {
  test.each(of('allow_masked'))('%s %s', async (_, __, row) => {
    const answers = await attack(row, 'demo_a', 'simple')
    const truth = await said(await here.direct('demo_a'), row, 'simple')
    const [shown] = results(answers.flat())
    const [known] = results(truth.flat())
    const isMasked = (at: number): boolean => row.check.masked?.includes(at + 1) === true
    for (const [i, cells] of known?.rows.entries() ?? []) {
      for (const [at, cell] of cells.entries()) {
        const seen = shown?.rows[i]?.[at]
        if (!isMasked(at)) expect(seen).toBe(cell)
        else if (cell !== null) expect([null, redacted]).toContain(seen)
      }
    }
    expect(shown?.rows.length).toBe(known?.rows.length)
  })
})

describe('what it is, is known without running it', () => {
  test.each(of('classify'))('%s %s', async (_, __, row) => {
    const client = await here.connect('demo_a')
    for (const text of row.input.filter(isText)) await client.parsed(text)
    client.close()
    const kinds = here.decided().flatMap(kindsOf)
    expect(kinds).toEqual(expect.arrayContaining([...(row.check.kinds ?? [])]))
  })
})
