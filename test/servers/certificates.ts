import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

/** A certificate authority of the test's own and one certificate for loopback, as PEM. */
export type Certificates = { readonly ca: string; readonly key: string; readonly cert: string }

/** Makes certificates in `folder`, where the files are called ca.crt, server.key and server.crt. */
export function certificates(folder: string): Certificates {
  const run = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  }
  const elliptic = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  run(
    'req',
    '-x509',
    ...elliptic,
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-days',
    '2',
    '-subj',
    '/CN=test ca',
  )
  run('req', ...elliptic, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=localhost')
  writeFileSync(`${folder}/names`, 'subjectAltName=DNS:localhost,IP:127.0.0.1\n')
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-sha384']
  run('x509', '-req', '-in', 'server.csr', ...signed, '-out', 'server.crt', '-extfile', 'names')
  const read = (name: string): string => readFileSync(`${folder}/${name}`, 'utf8')
  return { ca: read('ca.crt'), key: read('server.key'), cert: read('server.crt') }
}
