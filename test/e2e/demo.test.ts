import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { run } from './stage.ts'

test('make demo ONCE=1 plays the tour, checks every outcome and stops what it started', {
  timeout: 90_000,
}, async () => {
  const script = fileURLToPath(new URL('../../deploy/demo/demo.ts', import.meta.url))
  const demo = await run(process.execPath, [script, '--once'])
  expect(demo.status, demo.stderr).toBe(0)
  expect(demo.stdout.match(/✓/g)?.length).toBeGreaterThanOrEqual(9)
})
