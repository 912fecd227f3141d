import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readArchive } from '../../bundles/archive.ts'
import { bundleCommand } from '../../bundles/command.ts'
import { claimed, signaturesOf } from '../../bundles/envelope.ts'
import { bundle, ecPair, ours, scratch } from './kit.ts'

const opa = new URL('../../.tools/opa', import.meta.url).pathname

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const said = { out: '', err: '' }
  const io = {
    stdout: (text: string) => {
      said.out += text
    },
    stderr: (text: string) => {
      said.err += text
    },
    env,
  }
  return { status: await bundleCommand(args, io), ...said }
}

/** A git repository with a policy, and our keys beside it. */
function repository() {
  const folder = scratch()
  const git = (...args: string[]) => execFileSync('git', args, { cwd: folder, encoding: 'utf8' })
  mkdirSync(join(folder, 'rego'))
  const policy = 'package postern\n\ndecision := {"effect": "deny"}\n'
  writeFileSync(join(folder, 'rego', 'decision.rego'), policy)
  writeFileSync(join(folder, 'key.pem'), ours.private)
  writeFileSync(join(folder, 'pub.pem'), ours.public)
  const at = (name: string) => join(folder, name)
  const commit = () => {
    git('init', '-q')
    git('add', 'rego')
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.com']
    git(...who, '-c', 'commit.gpgsign=false', 'commit', '-qm', 'Start')
    return git('rev-parse', 'HEAD').trim()
  }
  const build = ['build', '--source', at('rego'), '--output', at('b.tar.gz'), '--opa', opa]
  return { at, commit, build }
}

async function claims(path: string) {
  return claimed(signaturesOf(await readArchive(readFileSync(path)))[0] ?? '')
}

test('build, verify and inspect: the revision is the commit', async () => {
  const { at, commit, build } = repository()
  const revision = commit()
  const built = await run([
    ...build,
    '--key',
    at('key.pem'),
    '--sequence',
    '12',
    '--expires',
    '30d',
  ])
  expect(built).toMatchObject({ status: 0, err: '' })
  const verified = await run(['verify', '--bundle', at('b.tar.gz'), '--key', at('pub.pem')])
  expect(verified).toMatchObject({ status: 0, err: '' })
  expect(verified.out).toContain(`verified: revision ${revision}, sequence 12, expires 2`)
  const inspected = await run(['inspect', '--bundle', at('b.tar.gz')])
  expect(inspected.out).toMatch(new RegExp(`^revision +${revision}$`, 'm'))
  expect(inspected.out).toMatch(/^entrypoints +postern\/decision$/m)
  expect(inspected.out).toMatch(/^ +\d+ {2}decision\.rego$/m)
})

test('a folder with changes says so, one without commits needs a revision', async () => {
  const { at, commit, build } = repository()
  const signed = [...build, '--key', at('key.pem')]
  const none = await run(signed)
  expect(none).toMatchObject({ status: 1 })
  expect(none.err).toContain('--revision')
  commit()
  writeFileSync(at('rego/more.rego'), 'package more\n')
  expect((await run(signed)).out).toContain('-dirty, ES256')
  expect((await run([...signed, '--revision', 'v1'])).out).toContain('revision v1')
})

test('the key may come from the environment, and appears nowhere', async () => {
  const { at } = repository()
  writeFileSync(at('in.tar.gz'), await bundle('r3'))
  const pair = ecPair('P-384')
  const sign = ['sign', '--bundle', at('in.tar.gz'), '--output', at('out.tar.gz')]
  const options = ['--key-id', 'ci', '--scope', 'prod', '--sequence', '4', '--expires', '90m']
  const missing = await run([...sign, '--key', 'env:KEY', ...options])
  expect(missing).toMatchObject({ status: 1, err: 'postern bundle: the environment has no KEY\n' })
  const signed = await run([...sign, '--key', 'env:KEY', ...options], { KEY: pair.private })
  expect(signed).toMatchObject({ status: 0, err: '' })
  expect(signed.out).not.toContain(pair.private.split('\n')[1])
  expect(await claims(at('out.tar.gz'))).toMatchObject({
    alg: 'ES384',
    kid: 'ci',
    claims: { scope: 'prod', postern_sequence: 4 },
  })
  writeFileSync(at('ci.pem'), pair.public)
  const check = ['verify', '--bundle', at('out.tar.gz'), '--key', at('ci.pem'), '--key-id', 'ci']
  expect(await run([...check, '--scope', 'prod'])).toMatchObject({ status: 0 })
  expect(await run([...check, '--scope', 'test'])).toMatchObject({ status: 1 })
  expect(await run(check.slice(0, 5))).toMatchObject({ status: 1 })
})

test('a bundle that does not verify is status 1 with the reason', async () => {
  const { at } = repository()
  writeFileSync(at('b.tar.gz'), await bundle('r', { pem: ecPair().private }))
  const refused = await run(['verify', '--bundle', at('b.tar.gz'), '--key', at('pub.pem')])
  expect(refused).toMatchObject({ status: 1, out: '' })
  expect(refused.err).toContain('not made by a trusted key')
})

test.each<[string, string[], string]>([
  ['nothing', [], 'say what to do'],
  ['an unknown verb', ['push'], '"push"'],
  ['a verb of Object', ['constructor'], '"constructor"'],
  ['an unknown option', ['inspect', '--nope'], '--nope'],
  ['an option of another verb', ['inspect', '--bundle', 'x', '--demo'], 'inspect takes no --demo'],
  ['too little', ['verify', '--bundle', 'x'], 'verify needs --key'],
  ['a stray word', ['inspect', 'x.tar.gz'], '"x.tar.gz" is not an option'],
  [
    'a bad sequence',
    ['sign', '--bundle', 'x', '--output', 'y', '--key', 'z', '--sequence', '1e3'],
    '--sequence 1e3',
  ],
  [
    'a bad time',
    ['sign', '--bundle', 'x', '--output', 'y', '--key', 'z', '--expires', 'soon'],
    '--expires soon',
  ],
])('%s is wrong usage', async (_what, args, why) => {
  const { status, out, err } = await run(args)
  expect({ status, out }).toEqual({ status: 2, out: '' })
  expect(err).toContain(why)
})

test.each([[['--help']], [['build', '-h']], [['help']]])('%j prints the help', async (args) => {
  const { status, out } = await run(args)
  expect(status).toBe(0)
  expect(out).toMatch(/build[\s\S]*sign[\s\S]*verify[\s\S]*inspect[\s\S]*Exit status/)
})

test('a file that is not there, or no bundle, is status 1', async () => {
  expect((await run(['inspect', '--bundle', '/nowhere'])).err).toContain('/nowhere cannot be read')
  const { at } = repository()
  expect(await run(['inspect', '--bundle', at('key.pem')])).toMatchObject({ status: 1 })
})
