/** Certificates for one loopback machine, made anew at every start. */
import { generate } from 'selfsigned'

export type Pair = { readonly key: string; readonly cert: string }
export type Certificates = { readonly ca: string; readonly server: Pair }

const day = 24 * 60 * 60 * 1000

/** An authority and one server certificate for localhost and 127.0.0.1, valid for a week. */
export async function certificates(): Promise<Certificates> {
  const notAfterDate = new Date(Date.now() + 7 * day)
  const authority = await generate([{ name: 'commonName', value: 'Postern demo authority' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    ],
  })
  const server = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate,
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  })
  return { ca: authority.cert, server: { key: server.private, cert: server.cert } }
}
