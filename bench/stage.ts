/** What a benchmark runs against: one PostgreSQL, pgbouncer and the gate before it, plain and TLS, all on loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { type Certificates, certificates } from '../deploy/demo/certificates.ts'
import { startGate, writeConfig } from '../deploy/demo/gate.ts'
import { type Issuer, startIssuer } from '../deploy/demo/issuer.ts'
import { freePort } from '../deploy/demo/ports.ts'
import { type Postgres, startPostgres } from '../deploy/demo/postgres.ts'

export type Target = {
  readonly name: 'direct' | 'pgbouncer' | 'postern'
  readonly port: number
  readonly user: string
  readonly password: string
}

export type Stage = {
  /** By transport, the same three targets. */
  readonly plain: readonly Target[]
  readonly tls: readonly Target[]
  readonly gatePid: number
  stop(): Promise<void>
}

const connectionsMax = '700'
const startMsMax = 20_000

/** Starts everything on free ports; `stop` ends each process by its id. */
export async function startStage(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bench-'))
  chmodSync(folder, 0o755)
  const made = await certificates()
  const files = { 'ca.crt': made.ca, 'gate.crt': made.server.cert, 'gate.key': made.server.key }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const postgres = await startPostgres(await freePort(), made.server, {
    max_connections: connectionsMax,
  })
  const issuer = await startIssuer(await freePort())
  const plain = await transport('plain', folder, made, postgres, issuer)
  const tls = await transport('tls', folder, made, postgres, issuer)
  const token = await issuer.token('alice')
  const targets = (of: Transport): readonly Target[] => [
    { name: 'direct', port: postgres.port, user: postgres.owner, password: postgres.password },
    { name: 'pgbouncer', port: of.bouncer, user: postgres.owner, password: postgres.password },
    { name: 'postern', port: of.gate, user: 'alice', password: token },
  ]
  return {
    plain: targets(plain),
    tls: targets(tls),
    gatePid: plain.pid,
    async stop() {
      await plain.stop()
      await tls.stop()
      await issuer.stop()
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

type Kind = 'plain' | 'tls'
type Transport = {
  readonly bouncer: number
  readonly gate: number
  readonly pid: number
  stop(): Promise<void>
}

async function transport(
  kind: Kind,
  folder: string,
  made: Certificates,
  postgres: Postgres,
  issuer: Issuer,
): Promise<Transport> {
  const ports = {
    postgres: postgres.port,
    issuer: 0,
    gate: await freePort(),
    server: await freePort(),
  }
  const setup = {
    folder: join(folder, kind),
    ports,
    certificates: made,
    issuer: issuer.url,
    plain: kind === 'plain',
    more: 'log: { level: warn }\nlimits: { sessions_max: 1000, sessions_per_subject_max: 1000 }\n',
  }
  writeConfig(setup)
  const gate = await startGate(setup, postgres)
  const bouncerPort = await freePort()
  const peer = bouncer(folder, kind, bouncerPort, postgres)
  await listening(bouncerPort, postgres)
  return {
    bouncer: bouncerPort,
    gate: ports.gate,
    pid: gate.process.pid ?? 0,
    async stop() {
      await ended(peer)
      await gate.stop()
    },
  }
}

/** pgbouncer will not run as root, so there it gets the uid of `nobody`. */
function bouncer(folder: string, kind: Kind, port: number, postgres: Postgres): ChildProcess {
  const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined
  const secure = kind === 'tls'
  const text = `[databases]
shop = host=127.0.0.1 port=${postgres.port} user=${postgres.owner}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${join(folder, `users-${kind}.txt`)}
pool_mode = session
max_client_conn = 600
default_pool_size = 300
ignore_startup_parameters = extra_float_digits
server_tls_sslmode = ${secure ? 'require' : 'disable'}
${secure ? `client_tls_sslmode = require\nclient_tls_key_file = ${folder}/bouncer-tls.key\nclient_tls_cert_file = ${folder}/gate.crt` : ''}
`
  const files = {
    'bouncer-tls.key': readFileSync(join(folder, 'gate.key'), 'utf8'),
    [`users-${kind}.txt`]: `"${postgres.owner}" "${postgres.password}"\n`,
    [`bouncer-${kind}.ini`]: text,
  }
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), content, { mode: 0o600 })
    if (nobody !== undefined) chownSync(join(folder, name), nobody.uid, nobody.gid)
  }
  return spawn('pgbouncer', ['-q', join(folder, `bouncer-${kind}.ini`)], {
    ...nobody,
    cwd: folder,
    env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin` },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function listening(port: number, postgres: Postgres): Promise<void> {
  await within(async () => {
    const client = new pg.Client({
      host: '127.0.0.1',
      port,
      user: postgres.owner,
      password: postgres.password,
      database: 'shop',
      ssl: { rejectUnauthorized: false },
    })
    client.on('error', () => undefined)
    await client.connect().catch((error: unknown) => {
      if (!String(error).includes('does not support SSL')) throw error
    })
    await client.end()
  })
}

async function within(attempt: () => Promise<void>): Promise<void> {
  const until = Date.now() + startMsMax
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (Date.now() > until) throw error
      await pause(50)
    }
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
}
