/** Builders that the tests of bundles share. */
import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import { signatureFile } from '../../bundles/envelope.ts'
import { packSigned, type SignOptions } from '../../bundles/sign.ts'
import type { BundleFile } from '../../bundles/tar.ts'
import { trustSet } from '../../bundles/trust.ts'

export type Pair = { readonly private: string; readonly public: string }

export function ecPair(namedCurve = 'P-256'): Pair {
  return pems(generateKeyPairSync('ec', { namedCurve }))
}

export function rsaPair(modulusLength = 2048): Pair {
  return pems(generateKeyPairSync('rsa', { modulusLength }))
}

function pems({ privateKey, publicKey }: KeyPairKeyObjectResult): Pair {
  return {
    private: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    public: String(publicKey.export({ type: 'spki', format: 'pem' })),
  }
}

/** The key that test bundles are signed with, and a set that trusts it. */
export const ours = ecPair()
export const trust = trustSet({ keys: [{ id: 'default', pem: ours.public }] })

export const file = (name: string, content: string | Buffer): BundleFile => ({
  name,
  content: Buffer.from(content),
})

export const manifest = (fields: object = {}): BundleFile =>
  file(
    '.manifest',
    JSON.stringify({
      revision: 'r1',
      roots: [''],
      wasm: [{ entrypoint: 'postern/decision', module: '/policy.wasm' }],
      ...fields,
    }),
  )

/** Files of a bundle that looks like one from `opa build`; its module is not run by whoever verifies. */
export function files(revision = 'r1'): BundleFile[] {
  return [
    manifest({ revision }),
    file('data.json', '{"limits": {"rows": 1.0}}'),
    file('policy.wasm', Buffer.from('0061736d01000000', 'hex')),
    file('postern/decision.rego', 'package postern\n'),
  ]
}

export function bundle(revision = 'r1', options: Partial<SignOptions> = {}): Promise<Buffer> {
  return packSigned(files(revision), { pem: ours.private, ...options })
}

/** Replaces, adds or (with undefined content) removes one file. */
export function edit(list: readonly BundleFile[], name: string, content?: string | Buffer) {
  const others = list.filter((one) => one.name !== name)
  return content === undefined ? others : [...others, file(name, content)]
}

export const envelope = (jws: string | readonly string[], more: object = {}): string =>
  JSON.stringify({ signatures: [jws].flat(), ...more })

export function jwsOf(list: readonly BundleFile[]): string {
  const found = list.find(({ name }) => name === signatureFile)
  const read: unknown = JSON.parse(String(found?.content))
  const { signatures } = Object(read)
  return String(signatures[0])
}

/** One raw tar entry, as wrong as asked for. */
export function entry(name: string, content: string | Buffer = '', type = '0'): Buffer {
  const body = Buffer.from(content)
  const head = Buffer.alloc(512)
  head.write(name, 0)
  head.write('0000600\0' + '0000000\0' + '0000000\0', 100)
  head.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124)
  head.write('00000000000\0', 136)
  head.write(`        ${type}`, 148)
  head.write('ustar\0' + '00', 257)
  const sum = head.reduce((total, byte) => total + byte, 0)
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
  return Buffer.concat([head, body, Buffer.alloc(-body.length & 511)])
}

export const end = Buffer.alloc(1024)
export const packed = (...entries: readonly Buffer[]): Buffer =>
  gzipSync(Buffer.concat([...entries, end]))

/** A folder that is gone after the test. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
