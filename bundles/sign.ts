import { readArchive, writeArchive } from './archive.ts'
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

/** Signs a bundle anew; an old signature is replaced. */
export async function signBundle(bundle: Buffer, options: SignOptions): Promise<Buffer> {
  return packSigned(await readArchive(bundle), options)
}
