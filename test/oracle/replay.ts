/** Replays scripts of the regression suite through the examiner, as the suite's own driver does. */
import { spawn } from 'node:child_process'
import { chmodSync, closeSync, cpSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostgresServer, startPostgres } from '../servers/postgres.ts'
import { examinationSchema, examiner, type Findings, findings } from './examiner.ts'
import { regressionSuite, type Suite } from './regress.ts'
import { wiretap } from './wiretap.ts'

export type Replay = {
  readonly found: Findings
  readonly suite: Suite
  readonly server: PostgresServer
  /** Runs scripts one after another; a script that hangs is cut off. */
  run(scripts: readonly string[]): Promise<void>
  stop(): Promise<void>
}

const scriptMsMax = 300_000
const settings = ['max_prepared_transactions = 2', 'max_wal_size = 4GB', 'autovacuum = off']

/** A server with an empty database to replay in. Throws when the suite cannot be had. */
export async function replay(): Promise<Replay> {
  const server = await startPostgres({ settings })
  const major = /postgresql\/(\d+)\//.exec(server.bin)?.[1] ?? ''
  const folder = mkdtempSync(join(tmpdir(), 'postern-replay-'))
  try {
    const suite = regressionSuite(major)
    // The server reads the suite's data itself, under another user.
    chmodSync(folder, 0o777)
    cpSync(join(suite.folder, 'data'), join(folder, 'data'), { recursive: true })
    prepare(server)
    const found = findings()
    const tap = await wiretap(server.port, () => examiner(found))
    return {
      found,
      server,
      suite,
      async run(scripts) {
        for (const name of scripts) {
          await script({
            file: join(suite.folder, 'sql', `${name}.sql`),
            port: tap.port,
            folder,
            server,
          })
        }
      },
      async stop() {
        await tap.close()
        await server.stop()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (error) {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
    throw error
  }
}

/** As pg_regress makes its database. */
function prepare(server: PostgresServer): void {
  server.sql('create database regression template template0')
  for (const set of [
    "lc_messages to 'C'",
    "lc_monetary to 'C'",
    "timezone_abbreviations to 'Default'",
    "bytea_output to 'hex'",
    "intervalstyle to 'postgres_verbose'",
    "datestyle to 'Postgres, MDY'",
    "timezone to 'PST8PDT'",
  ])
    server.sql(`alter database regression set ${set}`)
  server.sql(examinationSchema, 'regression')
}

type Script = {
  readonly file: string
  readonly port: number
  readonly folder: string
  readonly server: PostgresServer
}

async function script({ file, port, folder, server }: Script): Promise<void> {
  const { username, password } = server.superuser
  const where = `host=127.0.0.1 port=${port} user=${username} dbname=regression sslmode=disable gssencmode=disable`
  const input = openSync(file, 'r')
  const variables = ['-v', 'HIDE_TABLEAM=on', '-v', 'HIDE_TOAST_COMPRESSION=on']
  const child = spawn('psql', ['-X', '-q', '-a', ...variables, where], {
    env: {
      ...process.env,
      PGPASSWORD: password,
      PGTZ: 'PST8PDT',
      PGDATESTYLE: 'Postgres, MDY',
      PG_ABS_SRCDIR: folder,
      PG_ABS_BUILDDIR: folder,
      PG_LIBDIR: folder,
      PG_DLSUFFIX: '.so',
    },
    stdio: [input, 'ignore', 'ignore'],
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), scriptMsMax)
  await new Promise((resolve) => child.once('close', resolve))
  clearTimeout(timer)
  closeSync(input)
}
