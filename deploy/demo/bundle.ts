/** Builds the demo bundle again from rego/ and signs it with the published demo key; leaves it alone when nothing changed. */
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { readArchive } from '../../bundles/archive.ts'
import { buildBundle } from '../../bundles/build.ts'
import { signatureFile } from '../../bundles/envelope.ts'
import { contentRevision } from '../../bundles/revision.ts'
import { packSigned } from '../../bundles/sign.ts'
import type { BundleFile } from '../../bundles/tar.ts'

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const target = at('bundles/demo/demo.tar.gz')

// Not the commit: the bundle is part of it.
const revision = `demo-${await contentRevision(at('rego'))}`
const files = await buildBundle({ source: at('rego'), revision, opa: at('.tools/opa') })
const current = await readFile(target).then(readArchive, () => [])
if (same(files, current)) process.stdout.write(`bundles/demo/demo.tar.gz: ${revision} already\n`)
else {
  const pem = await readFile(at('bundles/demo/demo.key.pem'), 'utf8')
  await writeFile(target, await packSigned(files, { pem, id: 'demo' }))
  process.stdout.write(`bundles/demo/demo.tar.gz: ${revision}\n`)
}

function same(built: readonly BundleFile[], signed: readonly BundleFile[]): boolean {
  const others = signed.filter(({ name }) => name !== signatureFile)
  const known = new Map(others.map(({ name, content }) => [name, content]))
  return (
    known.size === built.length &&
    built.every(({ name, content }) => known.get(name)?.equals(content) === true)
  )
}
