import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Stage } from '../e2e/stage.ts'
import { type Pair, pair, type Recorded, startShop, type Who } from './kit.ts'

const lines = readFileSync(new URL('statements.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
const recorded = lines.map((line) => JSON.parse(line) as Recorded)
const tools = [...new Set(recorded.map(({ tool }) => tool))]

let stage: Stage
const pairs = new Map<Who, Pair>()
beforeAll(async () => {
  stage = await startShop()
  for (const who of ['alice', 'support-bot'] as const) pairs.set(who, await pair(stage, who))
})
afterAll(async () => {
  for (const one of pairs.values()) await one.end()
  await stage.stop()
})

describe.each(['alice', 'support-bot'] as const)('what tools send for %s', (who) => {
  test.each(tools)(
    '%s',
    async (tool) => {
      const own = recorded.filter((one) => one.tool === tool && one.who === who)
      expect(own).not.toEqual([])
      const wrong: string[] = []
      // In order: the connection answers one at a time.
      for (const one of own) {
        const found = await pairs.get(who)?.judge(one)
        if (found !== one.expect) wrong.push(`${found}, not ${one.expect}: ${one.statement}`)
      }
      expect(wrong).toEqual([])
    },
    60_000,
  )
})
