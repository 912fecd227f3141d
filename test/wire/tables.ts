import type { Turn } from './script.ts'

/** Harmless commands that are still refused or nulled, and why. Only ever gets shorter. */
export const tooStrict: Readonly<Record<string, string>> = {}

/** What still leaks, and why. Only ever gets shorter. */
export const open: Readonly<Record<string, string>> = {}

const cannotRun = 'needs a server that misbehaves, or a state that two real databases cannot be in'

/** Attacks that something else plays, and what. */
export const elsewhere: Readonly<Record<string, string>> = {
  'pg-620': 'test/sidecars/postgres/wire.test.ts: no session comes of it',
  'pg-621': 'test/sidecars/postgres/login.test.ts: no session comes of it',
  'pg-623': 'test/sidecars/wire.test.ts: a message larger than the maximum',
  'pg-631': `test/sidecars/postgres/parsers.test.ts: ${cannotRun}`,
  'pg-637': 'test/e2e/hold.test.ts: needs a person who answers',
  'pg-640': 'test/sidecars/postgres/relay.test.ts: needs a policy with limits',
}

/** A wire attack as messages; `settings` are asked for at startup, `refused` is what the last answer has to be. */
export type Script = {
  readonly turns: readonly Turn[]
  readonly settings?: Readonly<Record<string, string>>
  readonly writes?: string
  readonly refused?: true
  /** Not even a session. */
  readonly closed?: true
}

const email = 'SELECT email FROM customers ORDER BY id'
const notes = 'SELECT id FROM notes ORDER BY id'

/** The attacks of the corpus that are not plain texts. */
export const scripts: Readonly<Record<string, Script>> = {
  'pg-595': {
    turns: [[['query', 'SELECT 1; DELETE FROM customers']]],
    writes: 'public.customers',
  },
  'pg-598': {
    turns: [[['query', `PREPARE s AS ${email}`]], [['bind', '', 's'], ['execute'], ['sync']]],
  },
  'pg-600': {
    turns: [
      [
        ['parse', 'a', notes],
        ['close', 'S', 'a'],
        ['parse', 'a', email],
        ['bind', '', 'a'],
        ['execute'],
        ['sync'],
      ],
    ],
  },
  'pg-602': {
    turns: [
      [
        ['parse', 'a', 'SELECT 1/0'],
        ['bind', '', 'a'],
        ['execute'],
        ['parse', 'b', email],
        ['sync'],
        ['bind', '', 'b'],
        ['execute'],
        ['sync'],
      ],
    ],
  },
  'pg-604': {
    turns: [
      [
        [
          'parse',
          '',
          'SELECT c.id, email, salary FROM customers c, employees e ORDER BY c.id, e.id',
        ],
        ['bind', '', '', '011'],
        ['execute'],
        ['sync'],
      ],
    ],
  },
  'pg-606': {
    turns: [
      [['query', 'BEGIN']],
      [['parse', '', email], ['bind', 'port', ''], ['sync']],
      [['query', 'FETCH ALL FROM port']],
    ],
  },
  'pg-610': { turns: [[['query', 'COPY notes FROM STDIN']]], writes: 'public.notes' },
  'pg-613': {
    turns: [],
    settings: { options: '-c standard_conforming_strings=off' },
    closed: true,
  },
  'pg-616': { turns: [], settings: { replication: 'database' }, closed: true },
  'pg-618': { turns: [], settings: { standard_conforming_strings: 'off' }, closed: true },
  'pg-624': {
    turns: [
      [['bytes', 'Q', Buffer.from('SELECT 1\0DROP TABLE customers\0').toString('hex')], ['sync']],
    ],
    refused: true,
  },
  'pg-625': { turns: [[['bytes', 'Q', '53454c4543542027c080e92700'], ['sync']]], refused: true },
  'pg-627': {
    turns: [
      [
        ['query', 'SET search_path=crm'],
        ['query', email],
      ],
    ],
  },
  'pg-628': {
    turns: [
      [
        ['query', 'BEGIN; SET LOCAL search_path=crm; SELECT 1'],
        ['query', 'ROLLBACK'],
        ['query', email],
      ],
    ],
  },
  'pg-633': {
    turns: [
      [['query', 'LISTEN c']],
      [
        ['query', `SELECT pg_notify('c', email) FROM customers`],
        ['query', 'SELECT 1'],
      ],
    ],
  },
  'pg-634': { turns: [[['query', 'UPDATE customers SET name = NULL WHERE id = 1']]] },
  'pg-639': {
    turns: [
      [
        ['parse', '', 'SELECT query_to_xml($1, true, true, $2)'],
        ['bind', '', '', 0, 'select email from customers', ''],
        ['execute'],
        ['sync'],
      ],
    ],
    refused: true,
  },
  'pg-642': { turns: [[['query', `SELECT ${'('.repeat(100_000)}`]]], refused: true },
}
