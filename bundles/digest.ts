import { createHash } from 'node:crypto'
import { canonicalJson, utf8 } from './canonical.ts'

/** The file hashes a signature may use, by OPA's names. */
export const hashes = { 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' } as const

export type Hash = keyof typeof hashes

/** OPA hashes what these files mean, not how they are spaced. */
const structured = new Set(['data.json', '.manifest'])

/** Digest of one file as a bundle signature names it, lower-case hex. Throws when a structured file is not JSON. */
export function fileDigest(name: string, content: Buffer, hash: Hash): string {
  const base = name.slice(name.lastIndexOf('/') + 1)
  const hashed = structured.has(base) ? canonicalJson(utf8(content)) : content
  return createHash(hashes[hash]).update(hashed).digest('hex')
}

/** SHA-256 of any bytes, lower-case hex. */
export function sha256(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
