import { createPrivateKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { readArchive } from '../../bundles/archive.ts'
import { buildBundle } from '../../bundles/build.ts'
import { signatureFile } from '../../bundles/envelope.ts'
import { fingerprint } from '../../bundles/keys.ts'
import { contentRevision } from '../../bundles/revision.ts'
import { demoFingerprint, trustSet } from '../../bundles/trust.ts'
import { verifyBundle } from '../../bundles/verify.ts'
import { trust } from './kit.ts'

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const bytes = readFileSync(at('bundles/demo/demo.tar.gz'))
const pem = readFileSync(at('bundles/demo/demo.pub.pem'), 'utf8')

test('the key that every gate refuses is the published one', () => {
  const key = createPrivateKey(readFileSync(at('bundles/demo/demo.key.pem'), 'utf8'))
  expect(fingerprint(key)).toBe(demoFingerprint)
})

test('the demo bundle verifies where the demo is trusted, and nowhere else', async () => {
  const demo = trustSet({ keys: [{ id: 'demo', pem }], demo: true })
  const verified = await verifyBundle(bytes, demo, { name: 'demo' })
  expect(verified.revision).toBe(`demo-${await contentRevision(at('rego'))}`)
  await expect(verifyBundle(bytes, trust, { name: 'demo' })).rejects.toThrow('not trusted')
  expect(() => trustSet({ keys: [{ id: 'demo', pem }] })).toThrow('published')
})

test('the demo bundle holds what rego/ builds to: run `make bundle` when this fails', async () => {
  const revision = `demo-${await contentRevision(at('rego'))}`
  const built = await buildBundle({ source: at('rego'), revision, opa: at('.tools/opa') })
  const held = (await readArchive(bytes)).filter(({ name }) => name !== signatureFile)
  const contents = (files: typeof held) =>
    Object.fromEntries(files.map(({ name, content }) => [name, content.toString('latin1')]))
  const stale = Object.entries(contents(built)).filter(
    ([name, text]) => contents(held)[name] !== text,
  )
  expect(stale.map(([name]) => name)).toEqual([])
  expect(held.map(({ name }) => name).sort()).toEqual(built.map(({ name }) => name).sort())
})
