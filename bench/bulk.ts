/** One large result on its way through the gate: untouched and masked, of one and the same table. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { buildBundle } from '../bundles/build.ts'
import { packSigned } from '../bundles/sign.ts'
import { certificates } from '../deploy/demo/certificates.ts'
import { project, startGate, writeConfig } from '../deploy/demo/gate.ts'
import { startIssuer } from '../deploy/demo/issuer.ts'
import { freePort } from '../deploy/demo/ports.ts'
import { startPostgres } from '../deploy/demo/postgres.ts'
import { int16, int32, message } from '../sidecars/postgres/frames.ts'

const rowCount = 90_000
const rounds = 9
const methods = ['redact', 'partial', 'tokenize'] as const
const counts = [1, 2, 4]
const formats = ['text', 'binary'] as const

const table = `create table public.people (id int, name text, email text, city text, street text, phone text, note text);
insert into public.people select i, 'Somebody ' || i, 'somebody.' || i || '@example.com', 'Springfield',
  i || ' Evergreen Terrace', '+1 555 ' || i, 'likes long walks' from generate_series(10001, ${10_000 + rowCount}) i`

/** Somebody to ask, and what their answers are measured against. */
type Who = { readonly name: string; readonly socket: Socket }

/** Prints rows per second, each as a share of what the gate passes untouched and of a direct connection. */
export async function bulk(): Promise<void> {
  const stage = await start()
  try {
    for (const format of formats) {
      const names = methods.flatMap((method) => counts.map((count) => `${method}/${count}`))
      const whos = [
        await stage.connect('direct'),
        ...(await Promise.all(['none/0', ...names].map((name) => stage.connect(name)))),
      ]
      report(format, await measured(whos, format === 'binary' ? 1 : 0, stage.gatePid))
      for (const { socket } of whos) socket.destroy()
    }
  } finally {
    await stage.stop()
  }
}

/** The fastest of the rounds, and the average of what the gate's process worked, per row in nanoseconds. */
type Cost = { readonly seconds: number; readonly gateNs: number }

/** Interleaved rounds, the first of which does not count. */
async function measured(
  whos: readonly Who[],
  format: number,
  gatePid: number,
): Promise<Map<string, Cost>> {
  const costs = new Map<string, Cost>()
  for (let round = -1; round < rounds; round += 1)
    for (const { name, socket } of whos) {
      const before = workedNs(gatePid)
      const seconds = await asked(socket, format)
      const gateNs = (workedNs(gatePid) - before) / rowCount / rounds
      const so = costs.get(name) ?? { seconds: Number.POSITIVE_INFINITY, gateNs: 0 }
      if (round >= 0)
        costs.set(name, { seconds: Math.min(so.seconds, seconds), gateNs: so.gateNs + gateNs })
    }
  return costs
}

/** What a process has spent on the processor, all its threads together. */
function workedNs(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`)
  const each = threads.map((id) => readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8'))
  return each.reduce((sum, text) => sum + Number(text.split(' ')[0]), 0)
}

function report(format: string, costs: ReadonlyMap<string, Cost>): void {
  const untouched = costs.get('none/0')?.seconds ?? Number.NaN
  const direct = costs.get('direct')?.seconds ?? Number.NaN
  line(`\nBulk, plain, ${rowCount} rows of seven columns in ${format}, method and masked columns`)
  for (const [name, { seconds, gateNs }] of costs) {
    const rate = `${Math.round(rowCount / seconds)}/s`.padStart(12)
    const shares = [untouched / seconds, direct / seconds].map((share) => share.toFixed(2))
    const gate = name === 'direct' ? '' : `  gate ${gateNs.toFixed(0)} ns a row`
    line(`  ${name.padEnd(12)}${rate}  ${shares[0]} of untouched  ${shares[1]} of direct${gate}`)
  }
}

/** Seconds until the last byte of the answer; the client only looks for its end. */
function asked(socket: Socket, format: number): Promise<number> {
  const bind = message('B', '', '', int16(0), int16(0), int16(1), int16(format))
  const text = message('P', '', 'select * from public.people', int16(0))
  const begun = performance.now()
  socket.write(Buffer.concat([text, bind, message('E', '', int32(0)), message('S')]))
  return new Promise((resolve, reject) => {
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (!chunk.subarray(-6).equals(ready)) return
      socket.removeAllListeners('data')
      if (bytes < rowCount * 50) reject(new Error(`the answer is short:\n${chunk.toString()}`))
      resolve((performance.now() - begun) / 1000)
    })
  })
}

const ready = message('Z', Buffer.from('I'))

type Stage = {
  readonly gatePid: number
  connect(name: string): Promise<Who>
  stop(): Promise<void>
}

async function start(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-bulk-'))
  const made = await certificates()
  const postgres = await startPostgres(await freePort(), made.server, { max_connections: '100' })
  const issuer = await startIssuer(await freePort())
  const ports = {
    postgres: postgres.port,
    issuer: 0,
    gate: await freePort(),
    server: await freePort(),
  }
  const setup = {
    folder: join(folder, 'gate'),
    ports,
    certificates: made,
    issuer: issuer.url,
    plain: true,
    bundle: await bundle(folder),
    more: `log: { level: warn }\nmasking: { key: { file: ${join(folder, 'mask.key')} } }\n`,
  }
  writeFileSync(join(folder, 'mask.key'), 'k'.repeat(48), { mode: 0o600 })
  writeConfig(setup)
  const logins = {
    direct: { port: postgres.port, user: postgres.owner, password: postgres.password },
  }
  const owner = await loggedIn({ ...logins.direct, application_name: 'direct' })
  await owner.query(table)
  await owner.query('vacuum analyze public.people')
  await owner.end()
  const gate = await startGate(setup, postgres)
  const through = { port: ports.gate, user: 'alice', password: await issuer.token('alice') }
  return {
    gatePid: gate.process.pid ?? 0,
    async connect(name) {
      const to = name === 'direct' ? logins.direct : through
      const client = await loggedIn({ ...to, application_name: name })
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
      stream.removeAllListeners('data')
      return { name, socket: stream }
    },
    async stop() {
      await gate.stop()
      await issuer.stop()
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function loggedIn(login: pg.ClientConfig): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', database: 'shop', ...login })
  client.on('error', () => undefined)
  await client.connect()
  return client
}

async function bundle(folder: string): Promise<string> {
  const source = fileURLToPath(new URL('./masks', import.meta.url))
  const files = await buildBundle({ source, revision: 'bench', opa: join(project, '.tools/opa') })
  const key = fileURLToPath(new URL('../bundles/demo/demo.key.pem', import.meta.url))
  const packed = await packSigned(files, { pem: readFileSync(key, 'utf8'), id: 'demo' })
  const path = join(folder, 'bundle.tar.gz')
  writeFileSync(path, packed)
  return path
}

const line = (text: string): boolean => process.stdout.write(`${text}\n`)
