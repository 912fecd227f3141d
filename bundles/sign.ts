import { readArchive, writeArchive } from './archive.ts'
import { claimed, headerOf, signaturesMax, signaturesOf } from './envelope.ts'
import { algorithmOf, privateKey } from './keys.ts'
import { signFiles } from './signature.ts'
import type { BundleFile } from './tar.ts'

/** How a bundle is signed. */
export type SignOptions = {
  /** The private key, PEM. */
  readonly pem: string
  /** The name the gates know the key by. */
  readonly id?: string
  readonly algorithm?: string
  /** Must grow from bundle to bundle; milliseconds since the epoch unless given. */
  readonly sequence?: number
  /** Milliseconds since the epoch after which no gate uses it. */
  readonly expiresMs?: number
  readonly scope?: string
  readonly nowMs?: number
}

/** How a signature is added. */
export type AddOptions = Pick<SignOptions, 'pem' | 'id' | 'algorithm' | 'nowMs'>

/** The key id that `opa build` writes unless told otherwise. */
export const defaultKeyId = 'default'

/** Signs these files and packs them. */
export async function packSigned(files: readonly BundleFile[], options: SignOptions) {
  const key = privateKey(options.pem)
  const nowMs = options.nowMs ?? Date.now()
  const { expiresMs, scope } = options
  const claims = {
    iat: Math.floor(nowMs / 1000),
    postern_sequence: options.sequence ?? nowMs,
    ...(expiresMs === undefined ? {} : { exp: Math.floor(expiresMs / 1000) }),
    ...(scope === undefined ? {} : { scope }),
  }
  const algorithm = algorithmOf(key, options.algorithm)
  const id = options.id ?? defaultKeyId
  return writeArchive(await signFiles(files, { key, id, algorithm, claims }))
}

/** Signs a bundle besides who signed it already, and says the same of sequence, expiry and scope as they do. */
export async function addSignature(
  bundle: Buffer,
  { pem, id = defaultKeyId, algorithm, nowMs = Date.now() }: AddOptions,
): Promise<Buffer> {
  const files = await readArchive(bundle)
  const beside = signaturesOf(files)
  const [first = ''] = beside
  if (beside.some((jws) => headerOf(jws).kid === id))
    throw new Error(`a key with the id ${id} has signed it already: name another one (--key-id)`)
  if (beside.length >= signaturesMax) throw new Error(`it has ${signaturesMax} signatures already`)
  const { files: _files, iat: _iat, ...said } = claimed(first).claims
  const key = privateKey(pem)
  const claims = { iat: Math.floor(nowMs / 1000), ...said }
  const signing = { key, id, algorithm: algorithmOf(key, algorithm), claims, beside }
  return writeArchive(await signFiles(files, signing))
}

/** Signs a bundle anew; old signatures are replaced. */
export async function signBundle(bundle: Buffer, options: SignOptions): Promise<Buffer> {
  return packSigned(await readArchive(bundle), options)
}
