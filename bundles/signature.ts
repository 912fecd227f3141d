/** Signatures in OPA's format: compact JWS over the hashes of all other files of a bundle. */
import type { KeyObject } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'
import { fileDigest, hashes } from './digest.ts'
import { type Claims, claimsOf, headerOf, signatureFile, signaturesOf } from './envelope.ts'
import type { Algorithm } from './keys.ts'
import type { BundleFile } from './tar.ts'
import type { Trust, TrustedKey } from './trust.ts'

/** A bundle whose signatures were checked: who made them, and what they say together. */
export type Signed = { readonly keys: readonly TrustedKey[]; readonly claims: Claims }

/** What to write into a signature besides the files. */
export type Signing = {
  readonly key: KeyObject
  readonly id: string
  readonly algorithm: Algorithm
  readonly claims: Omit<Claims, 'files'>
  /** Signatures that stay beside the new one; without, it stands alone. */
  readonly beside?: readonly string[]
}

/** What all signers of a bundle must say alike. */
const agreed = ['postern_sequence', 'exp', 'nbf', 'scope'] as const

/** The files with a new signature, in place of the old ones or beside them. */
export async function signFiles(files: readonly BundleFile[], signing: Signing) {
  const unsigned = files.filter(({ name }) => name !== signatureFile)
  const hashed = unsigned.map(({ name, content }) => {
    return { name, hash: fileDigest(name, content, 'SHA-256'), algorithm: 'SHA-256' }
  })
  const { id, algorithm, key, beside = [] } = signing
  // `keyid` is what OPA before 1.20 looks for when the header has no `kid`.
  const payload = { files: hashed, keyid: id, ...signing.claims }
  const jws = await new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: algorithm, kid: id })
    .sign(key)
  const content = Buffer.from(JSON.stringify({ signatures: [...beside, jws] }))
  return [...unsigned, { name: signatureFile, content }]
}

/**
 * Checks that enough trusted keys signed exactly these files. A signature by a key that is not trusted counts for
 * nothing; one that a trusted key did not make is an error. Throws an Error that says what is wrong; times and
 * scope are not looked at.
 */
export async function checkSignature(files: readonly BundleFile[], trust: Trust): Promise<Signed> {
  const signatures = signaturesOf(files)
  const known = signatures.filter((jws) => candidates(jws, trust).length > 0)
  if (known.length === 0) throw untrusted(signatures, trust)
  const checked = await Promise.all(known.map((jws) => checkedBy(candidates(jws, trust), jws)))
  const keys = checked.map(({ key }) => key)
  const twice = keys.find((key, at) => keys.indexOf(key) !== at)
  if (twice !== undefined)
    throw new Error(`the key ${twice.id} made 2 signatures; each counts once`)
  if (keys.length < trust.signaturesMin) throw tooFew(keys, trust)
  for (const { claims } of checked) checkFiles(files, claims)
  return { keys, claims: together(checked.map(({ claims }) => claims)) }
}

function untrusted(signatures: readonly string[], trust: Trust): Error {
  const ids = signatures.map((jws) => JSON.stringify(headerOf(jws).kid))
  return new Error(
    `the bundle is signed with the key id ${ids.join(' and ')}, which is not trusted; ` +
      `trusted: ${trust.keys.map(({ id }) => id).join(', ')}`,
  )
}

function tooFew(keys: readonly TrustedKey[], trust: Trust): Error {
  return new Error(
    `the bundle is signed by ${keys.map(({ id }) => id).join(', ')}, and ${trust.signaturesMin} of ` +
      `${trust.keys.map(({ id }) => id).join(', ')} must sign it (postern bundle sign --add)`,
  )
}

/** One set of claims for all signers. Throws where they differ: nobody may stretch what another one signed. */
function together(all: readonly Claims[]): Claims {
  const [first, ...others] = all
  if (first === undefined) throw new Error('the bundle is not signed')
  for (const name of agreed)
    if (others.some((claims) => claims[name] !== first[name]))
      throw new Error(`the signatures disagree on ${name}: sign the same bundle (--add)`)
  const signed = all.flatMap(({ iat }) => (iat === undefined ? [] : [iat]))
  return signed.length === 0 ? first : { ...first, iat: Math.max(...signed) }
}

function candidates(jws: string, trust: Trust): readonly TrustedKey[] {
  const { kid } = headerOf(jws)
  return kid === undefined ? trust.keys : trust.keys.filter(({ id }) => id === kid)
}

async function checkedBy(
  keys: readonly TrustedKey[],
  jws: string,
): Promise<{ readonly key: TrustedKey; readonly claims: Claims }> {
  for (const key of keys) {
    // In turn, because the first key that fits ends the search.
    const checked = await compactVerify(jws, key.key, { algorithms: [key.algorithm] }).catch(
      () => undefined,
    )
    if (checked !== undefined) return { key, claims: claimsOf(checked.payload) }
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
