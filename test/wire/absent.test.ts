import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Client as Pg } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fields } from '../../sidecars/postgres/report.ts'
import { errors, type Mode } from './client.ts'
import { type Stage, stage } from './stage.ts'

let here: Stage
beforeAll(async () => {
  here = await stage()
})
afterAll(() => here.stop())

const known = [
  ['SELECT * FROM django_migrations', '42P01'],
  ['SELECT "id" FROM "public"."schema_migrations" ORDER BY 1', '42P01'],
  ['SELECT nothing FROM customers', '42703'],
  ['SELECT c.nothing FROM customers AS c', '42703'],
  ['SELECT d.id FROM customers AS c', '42P01'],
  ['SELECT id FROM customers WHERE nothing = 1', '42703'],
  ['SELECT nothing(1)', '42883'],
  ['SELECT public.nothing(id) FROM customers', '42883'],
  [`SELECT 'a'::nothing`, '42704'],
  ['SELECT 1 ~~~> 2', '42883'],
  ['INSERT INTO nothing VALUES (1)', '42P01'],
  ['INSERT INTO notes SELECT * FROM nothing', '42P01'],
  ['UPDATE nothing SET id = 1', '42P01'],
  ['DELETE FROM nothing', '42P01'],
  ['TRUNCATE nothing', '42P01'],
  ['EXPLAIN SELECT * FROM nothing', '42P01'],
  ['EXPLAIN ANALYZE SELECT nothing FROM notes', '42703'],
  ['PREPARE p AS SELECT * FROM nothing', '42P01'],
  ['COPY nothing TO STDOUT', '42P01'],
] as const

describe('a name that means nothing is said to mean nothing, as the server says it', () => {
  test.each(known)('%s', async (sql, sqlstate) => {
    const server = await here.direct('demo_a')
    const gate = await here.connect('demo_a')
    for (const mode of ['simple', 'extended'] satisfies Mode[]) {
      const [shown] = (await gate.say(sql, mode)).filter((frame) => frame[0] === 0x45).map(fields)
      const [truth] = (await server.say(sql, mode)).filter((frame) => frame[0] === 0x45).map(fields)
      expect(shown).toMatchObject({ C: sqlstate, D: expect.stringMatching(/decision [\w-]{20,}/) })
      expect(shown?.['D']).toContain('code incomplete_command')
      expect(truth?.['C']).toBe(sqlstate)
    }
    // It was asked about and is on record, as any other.
    expect(here.decided().map(({ result }) => result.effect)).toContain('deny')
    server.close()
    gate.close()
  })
})

describe('what may be there for the server, or is refused for more than a name, is not said to be missing', () => {
  test.each([
    [
      'a function that reads names nobody knows',
      'SELECT * FROM customers, nothing WHERE run_sql(name) IS NULL',
    ],
    [
      'what an earlier statement of the text may make',
      'CREATE TABLE fresh (id int); SELECT * FROM fresh',
    ],
    ['in a schema that there is not, or that is hidden', 'SELECT * FROM nowhere.nothing'],
    [
      'code that is read, and may never come to it',
      'DO $$ BEGIN IF false THEN PERFORM * FROM nothing; END IF; END $$',
    ],
  ])('%s', async (_, sql) => {
    const gate = await here.connect('demo_a')
    const [error] = errors(await gate.say(sql))
    gate.close()
    expect(error).toMatch(/^42501 /)
  })

  test('nor what is refused although it is there', async () => {
    const gate = await here.connect('demo_a')
    const [error] = errors(await gate.say('SELECT rolpassword FROM pg_authid'))
    gate.close()
    expect(error).toMatch(/^42501 /)
  })
})

describe('clients know it', () => {
  test('node-postgres, and it is there once it was made', async () => {
    const client = new Pg({
      host: '127.0.0.1',
      port: here.port,
      user: 'robot',
      password: 'token',
      database: 'demo_a',
    })
    await client.connect()
    const probe = () => client.query('SELECT count(*)::int AS n FROM migrations WHERE id > $1', [0])
    await expect(probe()).rejects.toMatchObject({ code: '42P01' })
    await here.server.run('CREATE TABLE migrations (id int)', 'demo_a')
    expect((await probe()).rows).toEqual([{ n: 0 }])
    await client.end()
  })

  test('psql', async () => {
    const uri = `postgresql://robot:token@127.0.0.1:${here.port}/demo_a?sslmode=disable`
    const sql = '\\set VERBOSITY verbose\nselect * from nothing;\n\\echo state :SQLSTATE\n'
    const child = promisify(execFile)('psql', ['-X', uri])
    child.child.stdin?.end(sql)
    const { stdout, stderr } = await child
    expect(stdout).toContain('state 42P01')
    expect(stderr).toMatch(/ERROR:\s+42P01: postern: relation "nothing" does not exist/)
    expect(stderr).toMatch(/DETAIL:\s+rule postern, code incomplete_command, decision/)
  })
})
