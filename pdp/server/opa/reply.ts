import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Request, Response } from 'express'

/** OPA compresses from here on (server.encoding.gzip.min_length). */
const gzipBytesMin = 1024
const compressed = promisify(gzip)

/** Whether a parameter is set as OPA reads it: present without a value, or `true`. */
export function flag(request: Request, name: string): boolean {
  return valuesOf(request, name).some((text) => text === '' || text.toLowerCase() === 'true')
}

/** All values of a parameter. */
export function valuesOf(request: Request, name: string): readonly string[] {
  const value = request.query[name]
  return (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string')
}

/** Answers with a document: indented where `pretty` asks for it, compressed where the client takes it. */
export async function reply(
  request: Request,
  response: Response,
  document: unknown,
): Promise<void> {
  const text = JSON.stringify(document, undefined, flag(request, 'pretty') ? 2 : undefined)
  const body = Buffer.from(`${text}\n`)
  response.setHeader('Content-Type', 'application/json')
  response.setHeader('Vary', 'Accept-Encoding')
  if (body.length < gzipBytesMin || !takesGzip(request)) return void response.end(body)
  response.setHeader('Content-Encoding', 'gzip')
  response.end(await compressed(body))
}

function takesGzip({ headers }: Request): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(\.0+)?\s*(,|$))/i.test(String(headers['accept-encoding'] ?? ''))
}
