import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { SqlFacts } from '../../sidecars/sql/facts.ts'
import { type Client, errors, type Mode, type Result, refused, results, visible } from './client.ts'
import { type Row, rows } from './rows.ts'
import { type Decided, type Stage, stage, type Variant, variants } from './stage.ts'

const attacks = [...rows('postgres')]

let here: Stage
beforeAll(async () => {
  here = await stage()
})
afterAll(() => here.stop())
afterEach(async () => {
  if (changed(here.decided())) await here.restore()
})

const changed = (list: readonly Decided[]): boolean =>
  list.some(
    ({ result, refused, prepare, input }) =>
      result.effect === 'allow' &&
      refused === undefined &&
      prepare !== true &&
      input.action.effects.some((effect) => effect !== 'read' && effect !== 'session'),
  )

type Frames = readonly Buffer[]

async function said(client: Client, row: Row, mode: Mode): Promise<readonly Frames[]> {
  const answers: Frames[] = []
  for (const text of row.input) answers.push(await client.say(text, mode))
  // Notifications come with the next answer.
  answers.push(await client.say(''))
  client.close()
  return answers
}

async function attack(row: Row, variant: Variant, mode: Mode): Promise<readonly Frames[]> {
  return said(await here.connect(variant, { statement_timeout: '10s' }), row, mode)
}

/** The server may answer the same in another order. */
const unordered = (frames: Frames): readonly string[] => [...visible(frames)].sort()

const of = (type: Row['check']['type']) =>
  attacks
    .filter(({ check, protocol }) => check.type === type && protocol === undefined)
    .map((row) => [row.id, row.input.join('; '), row] as const)

const modes: readonly Mode[] = ['simple', 'extended', 'binary']

describe('nothing that can be seen depends on a protected value', () => {
  test.each(of('no_leak'))('%s %s', async (_, __, row) => {
    for (const mode of modes) {
      const [a, b] = await Promise.all(variants.map((variant) => attack(row, variant, mode)))
      expect(a?.map(visible)).toEqual(b?.map(visible))
      if (changed(here.decided())) await here.restore()
    }
  })
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
  test.each(of('allow'))('%s %s', async (_, __, row) => {
    for (const variant of variants) {
      const answers = await attack(row, variant, 'simple')
      expect(answers.flatMap(errors)).toEqual([])
      const truth = await said(await here.direct(variant), row, 'simple')
      expect(answers.map(unordered)).toEqual(truth.map(unordered))
      const { not_write } = row.check
      if (not_write !== undefined) expect(touched(here.decided(), 'write')).not.toContain(not_write)
    }
  })
})

describe('what is masked is masked, and nothing else', () => {
  test.each(of('allow_masked'))('%s %s', async (_, __, row) => {
    const answers = await attack(row, 'demo_a', 'simple')
    const truth = await said(await here.direct('demo_a'), row, 'simple')
    const [shown] = results(answers.flat())
    const [known] = results(truth.flat())
    const mask = (cell: string | null, at: number): string | null =>
      row.check.masked?.includes(at + 1) && cell !== null ? 'masked' : cell
    const masked = (result: Result | undefined) => result?.rows.map((cells) => cells.map(mask))
    expect(masked(shown)).toEqual(masked(known))
  })
})

describe('what it is, is known without running it', () => {
  test.each(of('classify'))('%s %s', async (_, __, row) => {
    const client = await here.connect('demo_a')
    for (const text of row.input) await client.parsed(text)
    client.close()
    const kinds = here.decided().flatMap(kindsOf)
    expect(kinds).toEqual(expect.arrayContaining([...(row.check.kinds ?? [])]))
  })
})
