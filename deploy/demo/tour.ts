/** What the demo shows: five outcomes, each checked, each found again on the record. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Ports } from './gate.ts'
import type { Issuer, Person } from './issuer.ts'

/** `folder` is where the gate's files lie. */
export type Stage = { readonly folder: string; readonly ports: Ports; readonly issuer: Issuer }

type Decided = { readonly result?: { readonly effect?: string } }
type Answer = { readonly rows: readonly Record<string, unknown>[]; readonly count: number }

const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const holdMsMax = 15_000

/** Plays the tour; throws on the first outcome that is not as promised. */
export async function tour(stage: Stage): Promise<void> {
  await allowed(stage)
  await masked(stage)
  await denied(stage)
  await held(stage)
  await recorded(stage)
}

async function allowed(stage: Stage): Promise<void> {
  title('1. Allowed: alice, an engineer, reads orders')
  const answer = await asks(
    stage,
    'alice',
    'select id, item, amount from orders order by id limit 3',
  )
  expect(answer.rows.length === 3, 'three orders come back')
}

async function masked(stage: Stage): Promise<void> {
  title('2. Masked: an agent reads customers and sees no personal data')
  const sql = 'select id, name, email, card_number, phone from customers limit 2'
  const answer = await asks(stage, 'support-bot', sql)
  const text = JSON.stringify(answer.rows)
  expect(answer.rows.length === 2, 'two customers come back')
  expect(!/customer\d+@|4111 1111|555\d{4}/.test(text), 'no e-mail, card or phone among them')
}

async function denied(stage: Stage): Promise<void> {
  title('3. Denied: alice tries to drop a table')
  const error = await asks(stage, 'alice', 'drop table customers').then(
    () => undefined,
    (error: unknown) => (error instanceof pg.DatabaseError ? error : undefined),
  )
  expect(error?.code === '42501', 'the error has SQLSTATE 42501')
  expect(error?.hint !== undefined, 'and says what to do instead')
  say(`   ERROR:  ${error?.message}\n   DETAIL: ${error?.detail}\n   HINT:   ${error?.hint}`)
}

async function held(stage: Stage): Promise<void> {
  title('4. Held: alice deletes an order and waits while bob, a data owner, approves')
  const notices: string[] = []
  const waiting = asks(stage, 'alice', 'delete from orders where id = 1000', (notice) => {
    notices.push(notice)
    say(`   NOTICE: ${notice}`)
  })
  waiting.catch(() => undefined)
  const hold = await until(async () => /hold (\S+?)[),\s]/.exec(notices.join(' '))?.[1])
  await postern(stage, 'bob', ['holds', 'approve', hold, '--note', 'order was a test'])
  const answer = await waiting
  expect(answer.count === 1, 'after the approval one row was deleted')
}

async function recorded(stage: Stage): Promise<void> {
  title('5. On record: every question and every answer, in a chain that can be verified')
  const found = await postern(
    stage,
    'bob',
    ['audit', 'search', '--kind', 'decision', '--json'],
    false,
  )
  const rows = found
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Decided)
  const effects = new Set(rows.map((row) => row.result?.effect))
  for (const effect of ['allow', 'deny', 'hold'])
    expect(effects.has(effect), `a decision "${effect}" is found`)
  await postern(stage, 'bob', ['audit', 'verify'])
}

async function asks(
  stage: Stage,
  who: Person,
  sql: string,
  tell?: (notice: string) => void,
): Promise<Answer> {
  say(`   ${who}=> ${sql};`)
  const client = new pg.Client({
    host: '127.0.0.1',
    port: stage.ports.gate,
    user: who,
    database: 'shop',
    password: await stage.issuer.token(who),
    ssl: { ca: readFileSync(join(stage.folder, 'ca.crt'), 'utf8'), servername: 'localhost' },
  })
  client.on('notice', (notice) => tell?.(notice.message ?? ''))
  await client.connect()
  try {
    const { rows, rowCount } = await client.query(sql)
    for (const row of rows) say(`   ${JSON.stringify(row)}`)
    return { rows, count: rowCount ?? 0 }
  } finally {
    await client.end()
  }
}

/** Runs `.demo/postern` as one of the people, as a stranger would. */
async function postern(
  stage: Stage,
  who: Person,
  args: readonly string[],
  show = true,
): Promise<string> {
  say(`   ${who}$ .demo/postern ${args.join(' ')}`)
  const token = await stage.issuer.token(who)
  const child = spawn(join(stage.folder, 'postern'), args, {
    env: { ...process.env, POSTERN_TOKEN: token },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const status = await new Promise((resolve) => child.once('close', resolve))
  if (show) say(output.trimEnd().replaceAll(/^/gm, '   '))
  expect(status === 0, `postern ${args.slice(0, 2).join(' ')} succeeds`)
  return output
}

async function until(found: () => Promise<string | undefined>): Promise<string> {
  const end = Date.now() + holdMsMax
  while (Date.now() < end) {
    const value = await found()
    if (value !== undefined) return value
    await pause(50)
  }
  throw new Error('no notice of a hold arrived')
}

function title(text: string): void {
  say(`\n${text}`)
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not as promised: ${what}`)
  say(`   ✓ ${what}`)
}
