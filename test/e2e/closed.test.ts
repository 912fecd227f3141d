import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, run, type Stage, startStage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.stop())

const psqlWith = async (password: string, more = ''): Promise<string> => {
  const ca = join(stage.setup.folder, 'ca.crt')
  const where = `host=localhost port=${stage.setup.ports.gate} user=alice dbname=shop sslmode=verify-full sslrootcert=${ca} ${more}`
  const done = await run('psql', ['-XAtq', where, '-c', 'select 1'], { PGPASSWORD: password })
  expect(done.stdout).toBe('')
  return done.stderr
}

test.each([
  ['no token', ''],
  ['a word', 'hunter2'],
  ['an unsigned token', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImF1ZCI6InBvc3Rlcm4ifQ.'],
])('%s opens nothing', async (_what, password) => {
  expect(await psqlWith(password)).toMatch(/FATAL|no password supplied/)
})

test('a token of another issuer opens nothing', async () => {
  const { startIssuer } = await import('../../deploy/demo/issuer.ts')
  const { freePort } = await import('../../deploy/demo/ports.ts')
  const other = await startIssuer(await freePort())
  const token = await other.token('alice')
  await other.stop()
  expect(await psqlWith(token)).toContain('FATAL')
})

test('a client that will not encrypt is refused before it can send a token', async () => {
  const where = `host=127.0.0.1 port=${stage.setup.ports.gate} user=alice dbname=shop sslmode=disable`
  const done = await run('psql', ['-XAtq', where, '-c', 'select 1'], { PGPASSWORD: 'x' })
  expect(done.stderr).toMatch(/TLS|encrypt/)
})

test('a replication connection is refused', async () => {
  const token = await stage.issuer.token('alice')
  expect(await psqlWith(token, 'replication=database')).toMatch(/postern|replication/)
})

test('a start-up setting that is not on the list is refused by name', async () => {
  const options = await connect(stage, 'alice', { options: '-c search_path=evil' }).catch(
    (error: unknown) => error,
  )
  expect(String(options)).toMatch(/options/)
})

test('a broken connection disturbs no other session', async () => {
  const good = await connect(stage, 'alice')
  const net = await import('node:net')
  for (const bytes of ['GET / HTTP/1.1\r\n\r\n', '\0\0\0\0', '\xff'.repeat(64)]) {
    const socket = net.connect(stage.setup.ports.gate, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.end(Buffer.from(bytes, 'latin1'))
    socket.resume()
    await new Promise((resolve) => socket.once('close', resolve))
  }
  expect((await good.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await good.end()
})

test('a bundle that no longer verifies leaves the running one in place and says why', async () => {
  const bad = join(stage.setup.folder, 'x')
  writeFileSync(bad, 'not a bundle')
  chmodSync(bad, 0o600)
  const done = await run(join(stage.setup.folder, 'postern'), [
    'bundle',
    'inspect',
    '--bundle',
    bad,
  ])
  expect(done.status).not.toBe(0)
  expect(done.stderr).toMatch(/gzip|archive|bundle/)
})
