import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { main } from '../../../main.ts'
import { type Finished, opa, postern, posternIn, project, scratch } from './kit.ts'

const slowMs = 120_000

/** Runs make in a folder, as a person with postern and opa on PATH. */
function make(folder: string, ...words: readonly string[]): Promise<Finished> {
  const tools = [`POSTERN=${process.execPath} ${join(project, 'main.ts')}`, `OPA=${opa}`]
  return new Promise((done) => {
    execFile('make', [...tools, ...words], { cwd: folder }, (error, stdout, stderr) => {
      done({ status: Number(error?.code ?? 0), stdout, stderr })
    })
  })
}

test(
  'what init writes is tested, built, signed and verified by its own Makefile',
  async () => {
    const folder = join(scratch(), 'policies')
    const done = await postern('init', folder)
    expect(done.stderr).toBe('')
    expect(done.stdout).toMatch(/^\d+ files written to /)
    const tested = await make(folder, 'test')
    expect(tested.stderr).toBe('')
    expect(tested.stdout).toMatch(/\nPASS: (\d+)\/\1\n/)
    expect(tested.stdout).toMatch(/\n10 questions \([1-9]\d* allowed, \d+ held, [1-9]\d* denied\)/)
    expect(tested.stdout).toContain('Nothing got weaker.')
    const built = await make(folder, 'key', 'build', 'REVISION=first')
    expect(built.stdout).toMatch(/verified: revision first, sequence \d+, expires 20/)
    expect(built.status).toBe(0)
    const bundle = ['--bundle', 'policy.tar.gz', '--key', 'bundle.pub.pem', '--key-id', 'main']
    const questions = JSON.parse(readFileSync(join(folder, 'inputs.json'), 'utf8')) as object
    const [connects, , , , stranger] = [0, 1, 2, 3, 9].map((at) => Object.values(questions)[at])
    writeFileSync(join(folder, 'one.json'), JSON.stringify(connects))
    writeFileSync(join(folder, 'other.json'), JSON.stringify(stranger))
    const allowed = await posternIn(folder, 'decide', ...bundle, '--input', 'one.json')
    expect(allowed.stdout).toMatch(
      /^effect +allow\nbecause +readers may connect \(readers, may_connect\)/,
    )
    const denied = await posternIn(folder, 'decide', ...bundle, '--input', 'other.json')
    expect(denied.stdout).toMatch(/^effect +deny\n/)
    expect((await make(folder)).stdout).toMatch(/make push\s+Publishes/)
  },
  slowMs,
)

test(
  'a test that fails, and a policy that got weaker, stop the Makefile',
  async () => {
    const folder = scratch()
    await postern('init', folder)
    const policy = join(folder, 'rego/policies/readers.rego')
    const text = readFileSync(policy, 'utf8')
    writeFileSync(policy, text.replace('subject.in_any(data.settings.readers)', 'true'))
    const done = await make(folder, 'test')
    expect(done.stdout).toContain('test_others_do_not_connect: FAIL')
    expect(done.status).toBe(2)
  },
  slowMs,
)

test(
  'nothing is overwritten, and nothing is written then',
  async () => {
    const folder = scratch()
    mkdirSync(join(folder, '.git'))
    writeFileSync(join(folder, 'Makefile'), 'mine:\n')
    const done = await postern('init', folder)
    expect(done).toMatchObject({ status: 1, stdout: '' })
    expect(done.stderr).toContain('has Makefile already; nothing was written')
    expect(readFileSync(join(folder, 'Makefile'), 'utf8')).toBe('mine:\n')
    expect(existsSync(join(folder, 'rego'))).toBe(false)
    expect((await postern('init', 'one', 'two')).status).toBe(2)
  },
  slowMs,
)

const starter = (name: string): string =>
  readFileSync(join(project, 'deploy/starter', name), 'utf8')

const targets = [...starter('Makefile').matchAll(/^([a-z]+):/gm)].map(([, name]) => name)

type Step = { readonly run?: string; readonly uses?: string }
type Workflow = { readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>> }

test('the workflow tests, shows the impact, builds and pushes with targets that exist', () => {
  const { jobs } = parse(starter('.github/workflows/policy.yml')) as Workflow
  expect(Object.keys(jobs)).toEqual(['test', 'publish'])
  const runs = Object.values(jobs).flatMap(({ steps }) => steps.map(({ run = '' }) => run))
  const lines = runs.join('\n').match(/make (--silent )?[a-z ]+/g) ?? []
  const made = lines.flatMap((line) => line.replace('--silent ', '').split(' ').slice(1))
  expect(new Set(made)).toEqual(new Set(['test', 'key', 'build', 'impact', 'push', '']))
  for (const name of made.filter((word) => word !== '')) expect(targets).toContain(name)
})

const used = [...starter('Makefile').matchAll(/\$\(POSTERN\) ([a-z].*(?:\\\n.*)*)/g)].map(
  ([, line = '']) => line.replaceAll('\\\n', ' '),
)

test.each(used)('the Makefile runs postern %s with options that exist', async (line) => {
  const words = line.split(/\s+/)
  let said = ''
  const hear = (text: string): void => {
    said += text
  }
  const mutates = words.includes('--mutate') ? ['--mutate'] : []
  const io = { stdout: hear, stderr: hear, env: {} }
  expect(await main([words[0] ?? '', ...mutates, '--help'], io)).toBe(0)
  for (const option of words.filter((word) => word.startsWith('--'))) expect(said).toContain(option)
})
