/** Statements per second, latency and memory per session: the gate against a direct connection and pgbouncer. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { Stage, Target } from './stage.ts'

const rounds = 3
const secondsPerRun = 2
const clientCounts = [1, 8, 32]
const modes = ['simple', 'prepared'] as const
const idleSessions = 200

const transports = ['plain', 'tls'] as const
type Transport = (typeof transports)[number]
type Run = { readonly tps: number; readonly p50: number; readonly p99: number }

/** Prints a table per transport; every cell is the median of interleaved rounds. */
export async function throughput(stage: Stage): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-pgbench-'))
  const script = join(folder, 'key.sql')
  writeFileSync(
    script,
    '\\set id random(1, 1000)\nselect item, amount from public.orders where id = :id;\n',
  )
  for (const transport of transports) {
    line(`\nSELECT by key, ${transport}: statements per second, p50 and p99 in microseconds`)
    for (const mode of modes)
      for (const clients of clientCounts) {
        const results = await interleaved(stage[transport], (target) =>
          pgbench(
            target,
            transport,
            script,
            [
              ...['-M', mode, '-c', String(clients), '-j', '1', '-T', String(secondsPerRun)],
              ...['-l', `--log-prefix=${join(folder, target.name)}`],
            ],
            folder,
          ),
        )
        table(`${mode}, ${clients} client${clients === 1 ? '' : 's'}`, results)
      }
  }
  rmSync(folder, { recursive: true, force: true })
}

/** Prints how much the gate's process grows per idle session. */
export async function memory(stage: Stage): Promise<void> {
  const target = stage.plain.find((one) => one.name === 'postern')
  if (target === undefined) return
  const before = resident(stage.gatePid)
  const clients: pg.Client[] = []
  for (let i = 0; i < idleSessions; i += 1) clients.push(await connected(target))
  const after = resident(stage.gatePid)
  line(`\nMemory per idle session, ${idleSessions} sessions, plain`)
  line(`  ${((after - before) / idleSessions).toFixed(1)} KiB over ${before} KiB`)
  for (const client of clients) await client.end()
}

async function interleaved(
  targets: readonly Target[],
  once: (target: Target) => Promise<Run>,
): Promise<Map<string, Run>> {
  const runs = new Map<string, Run[]>()
  for (let round = 0; round < rounds; round += 1)
    for (const target of targets) {
      const list = runs.get(target.name) ?? []
      list.push(await once(target))
      runs.set(target.name, list)
    }
  return new Map([...runs].map(([name, list]) => [name, middle(list)]))
}

async function pgbench(
  target: Target,
  transport: Transport,
  script: string,
  args: readonly string[],
  folder: string,
): Promise<Run> {
  const ssl = transport === 'tls' ? 'require' : 'disable'
  const where = `host=127.0.0.1 port=${target.port} user=${target.user} dbname=shop sslmode=${ssl}`
  const output = await run('pgbench', ['-n', '-f', script, ...args, where], target.password)
  const tps = Number(/tps = ([\d.]+)/.exec(output)?.[1])
  if (!(tps > 0)) throw new Error(`pgbench against ${target.name} printed no result:\n${output}`)
  const latencies = logged(folder, target.name)
  return { tps, p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) }
}

/** pgbench's per-transaction log: the third field is the latency in microseconds. */
function logged(folder: string, name: string): Float64Array {
  const files = readdirSync(folder).filter((file) => file.startsWith(`${name}.`))
  const rows = files.flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n'))
  for (const file of files) rmSync(join(folder, file))
  return Float64Array.from(
    rows.filter((row) => row !== ''),
    (row) => Number(row.split(' ')[2]),
  ).sort()
}

async function run(program: string, args: readonly string[], password: string): Promise<string> {
  const child = spawn(program, args, {
    env: { ...process.env, PGPASSWORD: password },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  await new Promise((resolve) => child.once('close', resolve))
  return output
}

async function connected(target: Target): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: target.port,
    user: target.user,
    password: target.password,
    database: 'shop',
  })
  await client.connect()
  return client
}

/** The resident set of a process in KiB. */
function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

function middle(runs: readonly Run[]): Run {
  const of = (pick: (run: Run) => number): number =>
    quantile(Float64Array.from(runs, pick).sort(), 0.5)
  return { tps: of((run) => run.tps), p50: of((run) => run.p50), p99: of((run) => run.p99) }
}

function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

function table(title: string, results: ReadonlyMap<string, Run>): void {
  const direct = results.get('direct')
  line(`  ${title}`)
  for (const [name, run] of results) {
    const share = direct === undefined ? '' : ` ${(run.tps / direct.tps).toFixed(2)} of direct`
    const added = direct === undefined ? 0 : run.p50 - direct.p50
    line(
      `    ${name.padEnd(10)} ${perSecond(run.tps)} ${share}  p50 ${run.p50.toFixed(0)} (+${added.toFixed(0)})  p99 ${run.p99.toFixed(0)}`,
    )
  }
}

const perSecond = (value: number): string => `${Math.round(value)}/s`.padStart(12)
const line = (text: string): boolean => process.stdout.write(`${text}\n`)
