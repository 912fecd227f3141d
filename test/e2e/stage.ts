/** The whole product as a stranger runs it: PostgreSQL, issuer and `postern serve` as processes, real clients against them. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { certificates } from '../../deploy/demo/certificates.ts'
import { type Gate, type Setup, startGate, writeConfig } from '../../deploy/demo/gate.ts'
import { type Issuer, type Person, startIssuer } from '../../deploy/demo/issuer.ts'
import { freePort } from '../../deploy/demo/ports.ts'
import { type Postgres, startPostgres } from '../../deploy/demo/postgres.ts'
import { seal } from '../../deploy/demo/seal.ts'

export type Stage = {
  readonly setup: Setup
  readonly postgres: Postgres
  readonly issuer: Issuer
  /** A connection past the gate, as the owner of the shop, to see what really happened. */
  readonly direct: pg.Client
  /** Of the gate that runs now. */
  pid(): number
  restart(): Promise<void>
  stop(): Promise<void>
}

export type Finished = {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Starts everything on free ports; stop() ends each process by its id. `written` adds to the folder before the gate reads it. */
export async function startStage(
  more: Partial<Setup> = {},
  written: (made: Pick<Stage, 'setup' | 'postgres'>) => void = () => undefined,
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-e2e-'))
  const made = await certificates()
  const postgres = await startPostgres(await freePort(), made.server)
  const issuer = await startIssuer(await freePort())
  const ports = {
    postgres: postgres.port,
    issuer: 0,
    gate: await freePort(),
    server: await freePort(),
  }
  const setup: Setup = { folder, ports, certificates: made, issuer: issuer.url, ...more }
  writeConfig(setup)
  written({ setup, postgres })
  // Other bundles classify nothing of the shop.
  if (setup.bundle === undefined) await seal(setup, postgres)
  let gate: Gate = await startGate(setup, postgres)
  const direct = new pg.Client({
    host: '127.0.0.1',
    port: postgres.port,
    user: postgres.owner,
    password: postgres.password,
    database: 'shop',
  })
  await direct.connect()
  return {
    setup,
    postgres,
    issuer,
    direct,
    pid: () => gate.process.pid ?? 0,
    async restart() {
      await gate.stop()
      gate = await startGate(setup, postgres)
    },
    async stop() {
      await direct.end()
      await gate.stop()
      await issuer.stop()
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A node-postgres connection through the gate. */
export async function connect(
  stage: Stage,
  who: Person,
  more: pg.ClientConfig = {},
): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: stage.setup.ports.gate,
    user: who,
    database: 'shop',
    password: await stage.issuer.token(who),
    ssl: { ca: stage.setup.certificates.ca, servername: 'localhost' },
    ...more,
  })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/** psql through the gate; `script` is what a person would type. */
export async function psql(stage: Stage, who: Person, script: string): Promise<Finished> {
  const { folder, ports } = stage.setup
  const where = `host=localhost port=${ports.gate} user=${who} dbname=shop sslmode=verify-full sslrootcert=${join(folder, 'ca.crt')}`
  return await run('psql', ['-XAtq', where], { PGPASSWORD: await stage.issuer.token(who) }, script)
}

/** `postern ...` as one of the people. */
export async function postern(stage: Stage, who: Person, ...args: string[]): Promise<Finished> {
  const token = await stage.issuer.token(who)
  return await run(join(stage.setup.folder, 'postern'), args, { POSTERN_TOKEN: token })
}

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input = '',
): Promise<Finished> {
  const child = spawn(program, args, { env: { ...process.env, ...env } })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { status, stdout, stderr }
}

/** Everything the gate ever wrote to disk or to its log. */
export function everythingWritten(stage: Stage): string {
  const { folder } = stage.setup
  const log = readFileSync(join(folder, 'gate.log'), 'utf8')
  return (
    log +
    filesBelow(join(folder, 'state'))
      .map((file) => readFileSync(file, 'latin1'))
      .join('')
  )
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}
