import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { openSqlite } from '../../../pdp/state/sqlite.ts'
import { sqliteHolds } from '../../../pdp/state/sqlite-holds.ts'
import { holdStoreSuite, stored } from './hold-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-state-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const file = (name: string): string => join(folder, name)

let made = 0
holdStoreSuite('SQLite', async () => {
  made += 1
  return sqliteHolds(file(`holds-${made}.db`))
})

describe('a SQLite file', () => {
  test('keeps holds over a restart', () => {
    const before = sqliteHolds(file('restart.db'))
    before.insert(stored())
    before.close()
    const after = sqliteHolds(file('restart.db'))
    expect(after.get('h1')).toEqual(stored())
    after.close()
  })

  test('is for its owner alone', () => {
    const store = sqliteHolds(file('owner.db'))
    store.insert(stored())
    for (const end of ['', '-wal', '-shm'])
      expect(statSync(file(`owner.db${end}`)).mode & 0o077).toBe(0)
    store.close()
  })

  test('is shared by two processes: each sees what the other changed', () => {
    const [one, two] = [sqliteHolds(file('two.db')), sqliteHolds(file('two.db'))]
    one.insert(stored())
    expect(two.replace(stored({ state: 'approved' }, { version: 2 }))).toBe(true)
    expect(one.replace(stored({ state: 'refused' }, { version: 2 }))).toBe(false)
    expect(one.get('h1')?.hold.state).toBe('approved')
    one.close()
    two.close()
  })

  test('is brought up to date step by step, each step once', () => {
    const path = file('steps.db')
    openSqlite(path, ['create table a (x)']).close()
    const database = openSqlite(path, ['create table a (x)', 'create table b (x)'])
    expect(database.prepare('select count(*) as n from b').get()).toEqual({ n: 0 })
    database.close()
    expect(() => openSqlite(path, ['create table a (x)'])).toThrow('newer version (2)')
  })

  test('stays as it was when a step fails', () => {
    const path = file('fails.db')
    openSqlite(path, ['create table a (x)']).close()
    expect(() => openSqlite(path, ['create table a (x)', 'create table b (x); nonsense'])).toThrow()
    const database = openSqlite(path, ['create table a (x)', 'create table b (x)'])
    expect(database.prepare('pragma user_version').get()).toEqual({ user_version: 2 })
    database.close()
  })

  test('that is gone is a refusal', () => {
    const store = sqliteHolds(file('gone.db'))
    store.close()
    expect(() => store.get('h1')).toThrow(expect.objectContaining({ code: 'state_unavailable' }))
  })
})
