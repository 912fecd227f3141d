import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from './kit.ts'

const folder = join(root, 'rego/policies')
const files = readdirSync(folder).filter((name) => name.endsWith('.rego'))
const policies = files.filter((name) => !name.endsWith('_test.rego'))
const kinds = ['allow', 'deny', 'hold', 'mask', 'limit', 'quota', 'obligation']
const read = (name: string): string => readFileSync(join(folder, name), 'utf8')

describe.each(policies)('%s', (name) => {
  const policy = name.replace('.rego', '')

  // The library asks data.policies[name]: anything deeper would be silent.
  test('is the package of its name, one level below policies', () => {
    expect(/^package (\S+)$/m.exec(read(name))?.[1]).toBe(`policies.${policy}`)
  })

  test('only adds members to partial sets', () => {
    const heads = read(name).matchAll(/^(?:default )?(\w+)\b.*$/gm)
    const lines = [...heads].filter(([, word]) => kinds.includes(word ?? ''))
    for (const [line, word] of lines) expect(line).toMatch(new RegExp(`^${word} contains `))
    expect(lines.length).toBeGreaterThan(0)
  })

  test('calls nothing that a gate does not provide', () => {
    expect(read(name)).not.toMatch(/\b(http\.send|print|opa\.runtime|rand\.intn|net\.lookup)\b/)
  })

  // A rule of a test that is called `deny` would take part in decisions.
  test('has tests, outside of policies', () => {
    const tests = read(`${policy}_test.rego`)
    expect(/^package (\S+)$/m.exec(tests)?.[1]).toBe(`tests.${policy}`)
    expect(tests.match(/^test_\w+ if/gm)?.length).toBeGreaterThan(3)
  })
})

test('there are at least eight', () => {
  expect(policies.length).toBeGreaterThanOrEqual(8)
})
