/** The `.signatures.json` file in OPA's format: one compact JWS over the hashes of all other files. */
import type { KeyObject } from 'node:crypto'
import { CompactSign, compactVerify, decodeProtectedHeader } from 'jose'
import * as z from 'zod'
import { utf8 } from './canonical.ts'
import { fileDigest, hashes } from './digest.ts'
import type { Algorithm } from './keys.ts'
import type { BundleFile } from './tar.ts'
import type { Trust, TrustedKey } from './trust.ts'

export const signatureFile = '.signatures.json'

/** OPA takes every file with this ending for the signature file. */
const signatureEnding = 'signatures.json'

const envelope = z.object({
  signatures: z.array(z.string()),
  plugin: z.string().optional(),
})

const claims = z.object({
  files: z.array(z.object({ name: z.string(), hash: z.string(), algorithm: z.string() })),
  scope: z.string().optional(),
  iat: z.number().optional(),
  nbf: z.number().optional(),
  exp: z.number().optional(),
  postern_sequence: z.int().nonnegative().optional(),
})

export type Claims = z.infer<typeof claims>

/** A signature that was checked: who made it, and what it says. */
export type Signed = { readonly key: TrustedKey; readonly claims: Claims }

/** What to write into a signature besides the files. */
export type Signing = {
  readonly key: KeyObject
  readonly id: string
  readonly algorithm: Algorithm
  readonly claims: Omit<Claims, 'files'>
}

/** The files with a new signature in place of an old one. */
export async function signFiles(files: readonly BundleFile[], signing: Signing) {
  const unsigned = files.filter(({ name }) => name !== signatureFile)
  const hashed = unsigned.map(({ name, content }) => {
    return { name, hash: fileDigest(name, content, 'SHA-256'), algorithm: 'SHA-256' }
  })
  const { id, algorithm, key } = signing
  // `keyid` is what OPA before 1.20 looks for when the header has no `kid`.
  const payload = { files: hashed, keyid: id, ...signing.claims }
  const jws = await new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: algorithm, kid: id })
    .sign(key)
  const content = Buffer.from(JSON.stringify({ signatures: [jws] }))
  return [...unsigned, { name: signatureFile, content }]
}

/** Checks that a trusted key signed exactly these files. Throws an Error that says what is wrong; times and scope are not looked at. */
export async function checkSignature(files: readonly BundleFile[], trust: Trust): Promise<Signed> {
  const jws = onlySignature(files)
  const signed = await checkedBy(candidates(jws, trust), jws)
  checkFiles(files, signed.claims)
  return signed
}

/** The one JWS of a bundle. Throws when there is none, or more than one. */
export function onlySignature(files: readonly BundleFile[]): string {
  const named = files.filter(({ name }) => name.endsWith(signatureEnding))
  const stray = named.find(({ name }) => name !== signatureFile)
  if (stray !== undefined)
    throw new Error(`${stray.name} could be taken for the signature file ${signatureFile}`)
  const file = named[0]
  if (file === undefined)
    throw new Error(`the bundle is not signed: ${signatureFile} is missing (postern bundle sign)`)
  const { signatures, plugin = '' } = read(envelope, () => JSON.parse(utf8(file.content)))
  if (plugin !== '' && plugin !== '_default')
    throw new Error(`${signatureFile} asks for the verifier ${JSON.stringify(plugin)}: remove it`)
  const [jws] = signatures
  if (jws === undefined || signatures.length > 1)
    throw new Error(`${signatureFile} holds ${signatures.length} signatures; it must be one`)
  return jws
}

/** What a signature claims, unchecked: for people who inspect a bundle, never for a decision. */
export function claimed(jws: string) {
  const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url')
  const { alg, kid } = header(jws)
  return { alg, kid, claims: read(claims, () => JSON.parse(utf8(payload))) }
}

function candidates(jws: string, trust: Trust): readonly TrustedKey[] {
  const { kid } = header(jws)
  if (kid === undefined) return trust.keys
  const keys = trust.keys.filter(({ id }) => id === kid)
  if (keys.length === 0)
    throw new Error(
      `the bundle is signed with the key id ${JSON.stringify(kid)}, which is not trusted; ` +
        `trusted: ${trust.keys.map(({ id }) => id).join(', ')}`,
    )
  return keys
}

async function checkedBy(keys: readonly TrustedKey[], jws: string): Promise<Signed> {
  for (const key of keys) {
    // In turn, because the first key that fits ends the search.
    const checked = await compactVerify(jws, key.key, { algorithms: [key.algorithm] }).catch(
      () => undefined,
    )
    if (checked === undefined) continue
    return { key, claims: read(claims, () => JSON.parse(utf8(checked.payload))) }
  }
  const tried = keys.map(({ id, algorithm }) => `${id} (${algorithm})`).join(', ')
  throw new Error(
    `the signature was not made by a trusted key, or the signed list was changed; tried: ${tried}`,
  )
}

/** The signed list and the archive must name the same files, with the same content. */
function checkFiles(files: readonly BundleFile[], { files: listed }: Claims): void {
  const expected = new Map(listed.map((file) => [file.name, file]))
  if (expected.size !== listed.length) throw new Error('the signature lists a file twice')
  for (const { name, content } of files) {
    if (name === signatureFile) continue
    const entry = expected.get(name)
    if (entry === undefined)
      throw new Error(`the file ${name} is not in the signature: it was added or renamed`)
    const hash = hashName(entry.algorithm, name)
    if (fileDigest(name, content, hash) !== entry.hash)
      throw new Error(`the file ${name} is not the one that was signed: its ${hash} differs`)
    expected.delete(name)
  }
  const missing = [...expected.keys()]
  if (missing.length > 0)
    throw new Error(`files are signed but missing from the bundle: ${missing.join(', ')}`)
}

function hashName(algorithm: string, name: string): keyof typeof hashes {
  if (Object.hasOwn(hashes, algorithm)) return algorithm as keyof typeof hashes
  throw new Error(
    `the file ${name} is signed by ${JSON.stringify(algorithm)}; accepted: ${Object.keys(hashes).join(', ')}`,
  )
}

function header(jws: string): { readonly alg?: string; readonly kid?: string } {
  try {
    const { alg, kid } = decodeProtectedHeader(jws)
    return { ...(alg === undefined ? {} : { alg }), ...(kid === undefined ? {} : { kid }) }
  } catch {
    throw new Error(`the signature in ${signatureFile} is not a JWS`)
  }
}

function read<T>(shape: z.ZodType<T>, parse: () => unknown): T {
  try {
    return shape.parse(parse())
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined
    const where = issue === undefined ? '' : `: ${issue.path.join('.')}: ${issue.message}`
    throw new Error(`${signatureFile} has not the form OPA writes${where}`)
  }
}
