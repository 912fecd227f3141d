/** Gives the role of sealed sessions its rights: what `postern grants` prints, run by the owner of the tables. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import pg from 'pg'
import { project, type Setup, secretsOf } from './gate.ts'
import type { Postgres } from './postgres.ts'

/** Prints the script with the gate's own configuration and runs it in the shop, as it was printed. */
export async function seal(setup: Setup, postgres: Postgres): Promise<void> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: postgres.port,
    user: postgres.owner,
    password: postgres.password,
    database: 'shop',
  })
  await client.connect()
  try {
    await client.query(printed(setup, postgres))
  } finally {
    await client.end()
  }
}

function printed({ folder }: Setup, postgres: Postgres): string {
  const config = join(folder, 'postern.yaml')
  const words = ['grants', 'shop', '--database', 'shop', '--config', config]
  const env = { ...process.env, ...secretsOf(postgres) }
  const done = spawnSync(process.execPath, [join(project, 'main.ts'), ...words], {
    env,
    encoding: 'utf8',
  })
  if (done.status !== 0) throw new Error(`postern grants failed: ${done.stderr}`)
  return done.stdout
}
