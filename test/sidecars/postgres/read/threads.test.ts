import { expect, test } from 'vitest'
import { type Apart, threads } from '../../../../sidecars/postgres/read/threads.ts'

const odd = new URL('./odd-thread.ts', import.meta.url)
const large = `SELECT 1 AS a, '${'x'.repeat(100_000)}' AS b`

const textOf = (read: Apart): string | undefined =>
  read.problem === undefined ? read.each[0]?.written.text : read.problem
/** How many texts its thread had read by then. */
const nthOf = (read: Apart): number => read.statements?.[0]?.stmt_location ?? 0

test('a large text comes back as it was parsed, and written out', async () => {
  const read = threads()
  const apart = await read(large)
  expect(textOf(apart)).toBe(large)
  expect(apart.statements).toHaveLength(1)
  expect(apart.statements?.[0]?.stmt).toHaveProperty('SelectStmt')
})

test.each([
  ['a syntax error', `SELECT '${'x'.repeat(100_000)}`, 'unterminated quoted string'],
  ['nesting', `SELECT ${'('.repeat(100_000)}`, 'it nests deeper than 500'],
  ['a chain of terms', `SELECT 1${'+1'.repeat(50_000)}`, 'it nests deeper than 500'],
  ['nested comments', `SELECT 1 ${'/*'.repeat(50_000)}`, 'comments nest deeper than 8'],
  ['too many parts', `SELECT 1${',a'.repeat(60_000)}`, 'it has too many parts'],
])('%s is said', async (_, text, problem) => {
  const read = threads()
  expect((await read(text)).problem).toContain(problem)
  expect(textOf(await read(large))).toBe(large)
})

test.each(['hang', 'throw', 'leave', 'fill'])(
  'after one that had to %s others are read',
  async (bad) => {
    const read = threads({ entry: odd, readMsMax: 1_500, threadsMax: 1 })
    const answers = await Promise.all(['one', bad, 'two', 'three'].map(read))
    const gone = 'it takes too much time or memory to read'
    expect(answers.map(textOf)).toEqual(['one', gone, 'two', 'three'])
    expect(answers.map(nthOf)).toEqual([1, 0, 1, 2])
  },
)

test('a thread whose parser was hurt is not used again', async () => {
  const read = threads({ entry: odd, threadsMax: 1 })
  const answers = await Promise.all(['one', 'hurt', 'two'].map(read))
  expect(answers.map(nthOf)).toEqual([1, 2, 1])
})

test('a thread that is idle ends, and another begins', async () => {
  const read = threads({ entry: odd, threadsMax: 1, idleMsMax: 1 })
  const numbers = new Set<number>()
  for (let round = 0; round < 20; round += 1) {
    numbers.add(nthOf(await read('again')))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(Math.max(...numbers)).toBeLessThan(20)
})

test('no more threads than allowed are at work, and others wait in order', async () => {
  const read = threads({ entry: odd, threadsMax: 2 })
  const order: string[] = []
  const texts = Array.from({ length: 20 }, (_, index) => `${index}`)
  const answers = await Promise.all(
    texts.map((text) =>
      read(text).then((apart) => {
        order.push(textOf(apart) ?? '')
        return apart
      }),
    ),
  )
  expect(answers.map(textOf)).toEqual(texts)
  expect(answers.filter((apart) => nthOf(apart) === 1).length).toBeLessThanOrEqual(2)
  expect(new Set(order)).toEqual(new Set(texts))
})

test('more than may wait are told so at once', async () => {
  const read = threads({ entry: odd, threadsMax: 1, waitingMax: 2 })
  const waiting = ['one', 'two'].map(read)
  expect((await read('three')).problem).toContain('too many large statements')
  expect((await Promise.all(waiting)).map(textOf)).toEqual(['one', 'two'])
  expect(textOf(await read('three'))).toBe('three')
})

test('a thread that cannot start refuses what waits for it', async () => {
  const read = threads({ entry: new URL('./no-such-thread.ts', import.meta.url), threadsMax: 1 })
  const answers = await Promise.all(['one', 'two'].map(read))
  expect(answers.every(({ problem }) => problem !== undefined)).toBe(true)
})
