/** The `.signatures.json` file as text: what it holds and claims, before anything of it is believed. */
import { decodeProtectedHeader } from 'jose'
import * as z from 'zod'
import { utf8 } from './canonical.ts'
import type { BundleFile } from './tar.ts'

export const signatureFile = '.signatures.json'
/** OPA takes one; more are for gates that ask for several signers. */
export const signaturesMax = 16

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

/** Every JWS of a bundle. Throws when there is none, or too many. */
export function signaturesOf(files: readonly BundleFile[]): readonly string[] {
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
  if (signatures.length === 0 || signatures.length > signaturesMax)
    throw new Error(
      `${signatureFile} holds ${signatures.length} signatures; 1 to ${signaturesMax} are accepted`,
    )
  return signatures
}

/** What a signature claims, unchecked: for people who inspect a bundle, never for a decision. */
export function claimed(jws: string) {
  const payload = Buffer.from(jws.split('.')[1] ?? '', 'base64url')
  const { alg, kid } = headerOf(jws)
  return { alg, kid, claims: claimsOf(payload) }
}

/** The claims in a signature's payload. Throws on another form than the one OPA writes. */
export function claimsOf(payload: Uint8Array): Claims {
  return read(claims, () => JSON.parse(utf8(payload)))
}

/** What a signature's header says of itself; the algorithm is never chosen by it. */
export function headerOf(jws: string): { readonly alg?: string; readonly kid?: string } {
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
