/** What we promise about the text of the project itself. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { sidecars } from '../sidecars/index.ts'

const project = fileURLToPath(new URL('../', import.meta.url))
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  cwd: project,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(project, file)))
const text = (file: string): string => readFileSync(join(project, file), 'utf8')
const code = files.filter((file) => /\.(ts|rego)$/.test(file))
const product = code.filter((file) => !/^(test|bench)\/|_test\.rego$/.test(file))

test.each(product)('%s is short enough to be one concept', (file) => {
  expect(text(file).split('\n').length).toBeLessThanOrEqual(301)
})

test('nothing is left for later', () => {
  const marks = new RegExp(['TO', 'DO|FIX', 'ME|X', 'XX|HA', 'CK'].join(''))
  expect(code.filter((file) => file !== 'test/tidy.test.ts' && marks.test(text(file)))).toEqual([])
})

test('no test is skipped or alone', () => {
  const off = new RegExp(['\\b(test|it|describe)\\.(skip|only|to', 'do)\\b'].join(''))
  expect(code.filter((file) => off.test(text(file)))).toEqual([])
})

test('no machine and no registry is named', () => {
  const names = new RegExp(
    ['/wo', 'rk/|registry\\.npm', 'js|proxy\\.golang', '|/ro', 'ot/'].join(''),
  )
  const prose = files.filter((file) => /\.(ts|rego|md|ya?ml|json|sql|py)$|Makefile|run$/.test(file))
  expect(
    prose.filter((file) => !file.startsWith('test/corpus/') && names.test(text(file))),
  ).toEqual([])
})

test('secrets are revealed in few places', () => {
  const reveals = product.filter((file) => text(file).includes('.reveal()'))
  expect(reveals.length).toBeLessThanOrEqual(6)
})

test.each(files.filter((file) => file.endsWith('.md')))(
  'every link in %s leads somewhere',
  (file) => {
    const links = [...text(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
      (match) => match[1] ?? '',
    )
    const dead = links.filter((link) => !existsSync(join(project, dirname(file), link)))
    expect(dead).toEqual([])
  },
)

test('the README has a row for every protocol there is', () => {
  const rows = text('README.md').toLowerCase()
  for (const protocol of Object.keys(sidecars)) expect(rows).toContain(`| ${protocol}`)
})
