/** The example policies in front of the shop, and what a statement comes to there and without a gate. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { project } from '../../deploy/demo/gate.ts'
import { seal } from '../../deploy/demo/seal.ts'
import { connect, run, type Stage, startStage } from '../e2e/stage.ts'

export type Who = 'alice' | 'support-bot'

/**
 * What becomes of a statement; `masked` answers other rows than the server alone does, `forbidden` is the server's own no to
 * the login of sealed sessions.
 */
export type Verdict = 'allow' | 'masked' | 'refuse' | 'forbidden'

/** One line of statements.jsonl. */
export type Recorded = {
  readonly tool: string
  readonly who: Who
  readonly statement: string
  readonly expect: Verdict
  /** Answers differ from one moment or session to the next: only their columns are compared. */
  readonly varies?: true
  /** Why a sealed session is not answered as the gate's own login is. */
  readonly sealed?: string
}

type Answer =
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'error'; readonly code: string }
  | { readonly kind: 'rows'; readonly names: readonly string[]; readonly rows: readonly unknown[] }

/** Two connections of the same login: one past the gate. */
export type Pair = {
  judge(recorded: Omit<Recorded, 'expect' | 'tool' | 'who'>): Promise<string>
  end(): Promise<void>
}

const rowsOfAgentsMax = 1_000

/** The shop behind a gate with the example policies; only agents may ask more often, since a test asks all at once. */
export async function startShop(): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'postern-ordinary-'))
  const stage = await startStage({ bundle: await patientBundle(folder) })
  await seal(stage.setup, stage.postgres)
  return {
    ...stage,
    async stop() {
      await stage.stop()
      rmSync(folder, { recursive: true })
    },
  }
}

async function patientBundle(folder: string): Promise<string> {
  const source = join(folder, 'rego')
  const output = join(folder, 'bundle.tar.gz')
  cpSync(join(project, 'rego'), source, { recursive: true })
  const file = join(source, 'data.json')
  const data = JSON.parse(readFileSync(file, 'utf8'))
  data.settings.quotas.agent_commands_per_minute = 1_000_000
  writeFileSync(file, JSON.stringify(data))
  const key = join(project, 'bundles/demo/demo.key.pem')
  const built = await run(process.execPath, [
    ...[join(project, 'main.ts'), 'bundle', 'build', '--source', source],
    ...['--output', output, '--key', key, '--key-id', 'demo', '--revision', 'ordinary'],
  ])
  if (built.status !== 0) throw new Error(`bundle build failed: ${built.stderr}${built.stdout}`)
  return output
}

/** Connects `who` through the gate, and beside it the gate's own login past it. */
export async function pair(stage: Stage, who: Who): Promise<Pair> {
  const gated = await connect(stage, who)
  const plain = new pg.Client({
    host: '127.0.0.1',
    port: stage.postgres.port,
    user: stage.postgres.owner,
    password: stage.postgres.password,
    database: 'shop',
  })
  await plain.connect()
  return {
    async judge({ statement, varies = false }) {
      const answer = await answered(gated, statement)
      if (answer.kind === 'refused') return 'refuse'
      return verdict(answer, await answered(plain, statement), varies)
    },
    async end() {
      await gated.end()
      await plain.end()
    },
  }
}

/** Runs one statement, with NULL for every parameter, and leaves neither a transaction nor a setting behind. */
async function answered(client: pg.Client, statement: string): Promise<Answer> {
  const numbers = [...statement.matchAll(/\$(\d+)/g)].map((match) => Number(match[1]))
  const values = Array.from({ length: Math.max(0, ...numbers) }, () => null)
  const types = { getTypeParser: () => (value: unknown) => value }
  const query = { text: statement, rowMode: 'array', types, ...(values.length > 0 && { values }) }
  try {
    const { rows, fields } = await client.query(query)
    return { kind: 'rows', names: fields.map((field) => field.name), rows }
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error
    const why = error.message
    return why.startsWith('postern: ')
      ? { kind: 'refused', why }
      : { kind: 'error', code: error.code ?? '' }
  } finally {
    if (/^\s*(begin|start)\b/i.test(statement)) await client.query('rollback')
    if (/\bset(_config)?\b/i.test(statement)) await client.query('reset all')
  }
}

function verdict(gated: Answer, plain: Answer, varies: boolean): string {
  if (gated.kind === 'error' && gated.code === '42501' && plain.kind === 'rows') return 'forbidden'
  if (gated.kind !== 'rows' || plain.kind !== 'rows') {
    const [one, other] = [JSON.stringify(gated), JSON.stringify(plain)]
    return one === other ? 'allow' : `${one} instead of ${other}`
  }
  const columns = JSON.stringify(gated.names)
  if (columns !== JSON.stringify(plain.names)) return `answers the columns ${columns}`
  if (varies) return 'allow'
  // Policy cuts what agents read.
  const cut = gated.rows.length === rowsOfAgentsMax
  const rows = cut ? plain.rows.slice(0, rowsOfAgentsMax) : plain.rows
  return JSON.stringify(gated.rows) === JSON.stringify(rows) ? 'allow' : 'masked'
}
