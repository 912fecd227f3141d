/** A bundle as bytes: a gzip compressed tar archive of regular files. */
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import { type BundleFile, readTar, writeTar } from './tar.ts'

/** Largest archive that is fetched or read. */
export const archiveBytesMax = 32 * 1024 * 1024
/** Largest content after decompression. */
export const contentBytesMax = 128 * 1024 * 1024

/** Every file of a bundle. Throws an Error that names what is wrong; nothing is written anywhere. */
export async function readArchive(bytes: Buffer): Promise<BundleFile[]> {
  if (bytes.length > archiveBytesMax)
    throw new Error(`the bundle has ${bytes.length} bytes; ${archiveBytesMax} are accepted`)
  return readTar(await promisify(gunzip)(bytes, { maxOutputLength: contentBytesMax }).catch(failed))
}

/** The archive of these files, sorted by name: equal files give equal bytes (with the same zlib). */
export async function writeArchive(files: readonly BundleFile[]): Promise<Buffer> {
  const sorted = [...files].sort((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)))
  const bytes = await promisify(gzip)(writeTar(sorted), { level: 9 })
  // RFC 1952: byte 9 names the operating system that compressed; 255 is "unknown".
  bytes[9] = 255
  return bytes
}

function failed(error: NodeJS.ErrnoException): never {
  if (error.code === 'ERR_BUFFER_TOO_LARGE')
    throw new Error(`the bundle holds more than ${contentBytesMax} bytes when decompressed`)
  throw new Error('the bundle is not a gzip compressed tar archive, or is cut off')
}
