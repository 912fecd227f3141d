/** `make demo`: a database, an issuer and the gate on this machine, and a tour through what the gate does. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { certificates } from './certificates.ts'
import { type Gate, type Ports, project, startGate, writeConfig } from './gate.ts'
import { startIssuer } from './issuer.ts'
import { freePort } from './ports.ts'
import { type Postgres, startPostgres } from './postgres.ts'
import { seal } from './seal.ts'
import { type Stage, tour } from './tour.ts'

const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const single = process.argv.includes('--once')
// A demo that only checks itself must not touch the files of one that is up.
const folder = single ? mkdtempSync(join(tmpdir(), 'postern-once-')) : join(project, '.demo')
const stops: (() => Promise<void>)[] = []

type Started = Stage & { readonly postgres: Postgres; readonly gate: Gate }

process.once('SIGINT', () => void finish(0))
process.once('SIGTERM', () => void finish(0))

try {
  const stage = await start()
  await tour(stage)
  if (single) {
    stops.unshift(async () => rmSync(folder, { recursive: true, force: true }))
    await finish(0)
  } else say(commands(stage.ports))
} catch (error) {
  process.stderr.write(`\ndemo: ${error instanceof Error ? error.message : String(error)}\n`)
  process.stderr.write(`the gate's log is in ${join(folder, 'gate.log')}\n`)
  await finish(1)
}

async function start(): Promise<Started> {
  say('Starting PostgreSQL, an OpenID Connect issuer and the gate, all on 127.0.0.1 ...')
  const ports = await freePorts()
  const made = await certificates()
  const postgres = await startPostgres(ports.postgres, made.server)
  stops.push(postgres.stop)
  const issuer = await startIssuer(ports.issuer)
  stops.push(issuer.stop)
  rmSync(folder, { recursive: true, force: true })
  const setup = { folder, ports, certificates: made, issuer: issuer.url }
  writeConfig(setup)
  await seal(setup, postgres)
  const gate = await startGate(setup, postgres)
  stops.push(gate.stop)
  return { folder, ports, issuer, postgres, gate }
}

async function finish(status: number): Promise<void> {
  for (const stop of stops.splice(0).reverse()) await stop()
  process.exit(status)
}

async function freePorts(): Promise<Ports> {
  const postgres = await freePort(5471)
  const issuer = await freePort(9471)
  const gate = await freePort(6432)
  const server = await freePort(8471)
  return { postgres, issuer, gate, server }
}

function commands(ports: Ports): string {
  const target = `host=localhost port=${ports.gate} dbname=shop sslmode=verify-full sslrootcert=.demo/ca.crt`
  return `
Everything stays up until Ctrl-C. In another terminal, in this folder:

  # as an engineer, and as an agent
  PGPASSWORD=$(.demo/token alice) psql "${target} user=alice"
  PGPASSWORD=$(.demo/token support-bot) psql "${target} user=support-bot"

  # who waits, and approving it
  export POSTERN_TOKEN=$(.demo/token bob)
  .demo/postern holds list
  .demo/postern holds approve <hold>

  # the record
  .demo/postern audit search --effect deny
  .demo/postern audit verify
`
}
