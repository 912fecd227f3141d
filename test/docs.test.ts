/** The documentation says what the product does. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { main } from '../main.ts'
import { metrics } from '../pdp/metrics.ts'

const page = (name: string): string => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')
const operating = page('docs/operating.md')

test('every metric is explained, and no other', () => {
  const gate = metrics({
    version: '1',
    holds: () => ({}),
    bundle: () => undefined,
    audit: () => ({ entries: 0, dropped: 0, pending: 0, lagMs: 0, failing: false }),
    shadow: () => undefined,
  })
  const explained = [...operating.matchAll(/^\| `(postern_\w+)` \|/gm)].map((match) => match[1])
  expect(explained.toSorted()).toEqual(gate.names().toSorted())
})

const pages = [
  'README.md',
  'docs/operating.md',
  'docs/impact.md',
  'docs/authoring.md',
  'docs/bundles.md',
]
const commands = pages.flatMap((name) =>
  [...page(name).matchAll(/^postern ([a-z].*)$/gm)].map((match) => match[1] ?? ''),
)

test('there are commands to try', () => {
  expect(commands.length).toBeGreaterThan(10)
})

test.each(commands)('postern %s has a command and options that exist', async (line) => {
  const words: readonly string[] = line.split(/ #/)[0]?.match(/'[^']*'|\S+/g) ?? []
  const [command = '', verb = ''] = words
  let said = ''
  const hear = (text: string): void => {
    said += text
  }
  const help = { stdout: hear, stderr: hear, env: {} }
  // A command of its own, in all but its name.
  const mutate = words.includes('--mutate') ? ['--mutate'] : []
  expect(await main([command, ...mutate, '--help'], help)).toBe(0)
  if (['bundle', 'audit', 'holds'].includes(command)) expect(said).toContain(` ${verb}`)
  for (const option of words.filter((word) => word.startsWith('--'))) expect(said).toContain(option)
})
