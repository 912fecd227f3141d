/** The statements of our own tests, examined on the schema they are written for. */
import { readFileSync } from 'node:fs'
import { direct } from '../noninterference/client.ts'
import { generator } from '../noninterference/generator.ts'
import { relationsOf } from '../noninterference/relations.ts'
import type { PostgresServer } from '../servers/postgres.ts'
import { examinationSchema, examiner, type Findings, findings } from './examiner.ts'
import { wiretap } from './wiretap.ts'

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
const generatedCount = 1_000
const seed = Number(process.env['POSTERN_SEED'] ?? 1)

/** Runs the attacks and a thousand generated statements through the examiner. */
export async function ownStatements(server: PostgresServer): Promise<Findings> {
  const database = 'own'
  server.sql(`create database ${database} template template0`)
  const extra = read('../noninterference/extra.sql')
  server.sql(`${read('../corpus/schema.sql')}\n${extra}\n${examinationSchema}`, database)
  const found = findings()
  const tap = await wiretap(server.port, () => examiner(found))
  const one = await direct({ port: tap.port, ...server.superuser, database })
  try {
    const next = generator(seed, await relationsOf(one))
    const generated = Array.from({ length: generatedCount }, next).flatMap((made) => made.texts)
    await one.say("set statement_timeout = '5s'")
    for (const text of [...attacks(), ...generated]) {
      await one.say('begin')
      await one.say(text)
      await one.say('rollback')
    }
  } finally {
    one.close()
    await tap.close()
  }
  return found
}

/** Those that say one thing and do not end the session they run in. */
function attacks(): readonly string[] {
  const rows = read('../corpus/postgres.jsonl')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { readonly input: readonly unknown[] })
  return rows
    .flatMap(({ input }) => input.filter((text) => typeof text === 'string'))
    .filter(
      (text) =>
        !text.includes('\0') &&
        !/pg_(terminate|cancel)_backend|^\s*(set|reset|discard|commit|end|copy)\b/i.test(text),
    )
}
