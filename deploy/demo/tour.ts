/** What the demo shows: six outcomes, each checked, each found again on the record. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import type { Ports } from './gate.ts'
import type { Issuer, Person } from './issuer.ts'
import type { Postgres } from './postgres.ts'

/** `folder` is where the gate's files lie. */
export type Stage = {
  readonly folder: string
  readonly ports: Ports
  readonly issuer: Issuer
  readonly postgres: Pick<Postgres, 'sealed'>
}

type Decided = { readonly result?: { readonly effect?: string } }
type Answer = { readonly rows: readonly Record<string, unknown>[]; readonly count: number }

const say = (text: string): boolean => process.stdout.write(`${text}\n`)
const holdMsMax = 15_000

/** Plays the tour; throws on the first outcome that is not as promised. */
export async function tour(stage: Stage): Promise<void> {
  await allowed(stage)
  await masked(stage)
  await sealed(stage)
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
  title('2. Masked: alice reads customers and sees no numbers of cards or identities')
  const sql = 'select name, email, card_number, ssn from customers limit 2'
  const answer = await asks(stage, 'alice', sql)
  const text = JSON.stringify(answer.rows)
  expect(answer.rows.length === 2, 'two customers come back')
  expect(!/4111 1111|-45-/.test(text), 'without what is masked for people')
}

async function sealed(stage: Stage): Promise<void> {
  title(
    '3. Sealed: an agent selects, joins and filters whatever it likes, and all that is personal is a constant',
  )
  const star = await asks(stage, 'support-bot', 'select * from customers order by email limit 2')
  const join = `select c.name, c.email, p.card_number, p.amount from customers c join payments p on p.card_number = c.card_number where c.email like '%customer1%'`
  const joined = await asks(stage, 'support-bot', join)
  const text = JSON.stringify([star.rows, joined.rows])
  expect(star.rows.length === 2, 'two customers come back')
  expect(
    !/customer\d+@|4111 1111|555\d{4}|-45-/.test(text),
    'no e-mail, card, phone or identity among them',
  )
  expect(joined.rows.length === 0, 'a guess finds nothing: the filter sees constants, too')
  const { username } = stage.postgres.sealed
  const error = await refused(asksDirectly(stage, 'select email from customers limit 1'))
  say(`   ERROR:  ${error?.message}`)
  const past = `past the gate, PostgreSQL itself refuses the column to ${username}`
  expect(error?.code === '42501' && error.message.startsWith('permission denied'), past)
}

async function denied(stage: Stage): Promise<void> {
  title('4. Denied: alice tries to drop a table')
  const error = await refused(asks(stage, 'alice', 'drop table customers'))
  expect(error?.code === '42501', 'the error has SQLSTATE 42501')
  expect(error?.hint !== undefined, 'and says what to do instead')
  say(`   ERROR:  ${error?.message}\n   DETAIL: ${error?.detail}\n   HINT:   ${error?.hint}`)
}

async function held(stage: Stage): Promise<void> {
  title('5. Held: alice deletes an order and waits while bob, a data owner, approves')
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
  title('6. On record: every question and every answer, in a chain that can be verified')
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

async function refused(answer: Promise<Answer>): Promise<pg.DatabaseError | undefined> {
  return answer.then(
    () => undefined,
    (error: unknown) => (error instanceof pg.DatabaseError ? error : undefined),
  )
}

async function asks(
  stage: Stage,
  who: Person,
  sql: string,
  tell?: (notice: string) => void,
): Promise<Answer> {
  const password = await stage.issuer.token(who)
  return answered(stage, { port: stage.ports.gate, user: who, password }, sql, tell)
}

/** Not through the gate, but with the login that it gives to sealed sessions. */
function asksDirectly(stage: Stage, sql: string): Promise<Answer> {
  const { username: user, password } = stage.postgres.sealed
  return answered(stage, { port: stage.ports.postgres, user, password }, sql)
}

async function answered(
  stage: Stage,
  login: { readonly port: number; readonly user: string; readonly password: string },
  sql: string,
  tell?: (notice: string) => void,
): Promise<Answer> {
  say(`   ${login.user}=> ${sql};`)
  const client = new pg.Client({
    ...login,
    host: '127.0.0.1',
    database: 'shop',
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
