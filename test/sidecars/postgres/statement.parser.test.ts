import { beforeAll, describe, expect, test, vi } from 'vitest'
import { normalize, parse, ready } from '../../../sidecars/postgres/read/parser.ts'

beforeAll(() => ready)

const poison = `SELECT 1${'+1'.repeat(50_000)}`

describe('the parser', () => {
  test('answers at once after it was broken, from a fresh instance', async () => {
    await vi.waitFor(() => expect(parse('SELECT 1').statements).toHaveLength(1))
    // One instance would be dead for good after thirty of these.
    for (let round = 0; round < 35; round += 1) {
      expect(parse(poison)).toEqual({ problem: 'the parser gave up' })
      await vi.waitFor(() => expect(parse('SELECT 1').statements).toHaveLength(1), { interval: 1 })
    }
  })

  test('refuses while no instance is left, and recovers', async () => {
    const answers = [parse(poison), parse(poison), parse(poison), parse('SELECT 1')]
    expect(answers.every((one) => one.statements === undefined)).toBe(true)
    await vi.waitFor(() => expect(parse('SELECT 1').statements).toHaveLength(1), { interval: 1 })
  })

  test('says where a text goes wrong', () => {
    expect(parse('SELEC 1')).toEqual({ problem: 'syntax error at or near "SELEC"' })
  })

  test.each([
    ["SELECT * FROM t WHERE a = 'x' AND b = 7", 'SELECT * FROM t WHERE a = $1 AND b = $2'],
    ["CREATE ROLE r PASSWORD 'secret'", 'CREATE ROLE r PASSWORD $1'],
    ['SELECT a FROM t', 'SELECT a FROM t'],
    ["SELECT $1, 'ä'", 'SELECT $1, $2'],
    [' /* x */ SELECT 1', ' /* x */ SELECT $1'],
  ])('gives %s the shape %s', (text, shape) => expect(normalize(text)).toBe(shape))

  test.each(["SELECT 'x", 'SELECT "', 'SELECT (((('])('gives no shape to %s', (text) => {
    expect(normalize(text)).toBeUndefined()
  })
})
