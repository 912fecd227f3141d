import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, postern, type Stage, startStage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.stop())

type Held = {
  readonly client: pg.Client
  readonly id: string
  readonly answer: Promise<pg.QueryResult>
}

async function held(sql: string): Promise<Held> {
  const client = await connect(stage, 'alice')
  const told = new Promise<string>((resolve) => {
    client.on('notice', (notice) => {
      const id = /hold (\S+?)[),\s]/.exec(`${notice.message} `)?.[1]
      if (id !== undefined) resolve(id)
    })
  })
  const answer = client.query(sql)
  answer.catch(() => undefined)
  return { client, id: await told, answer }
}

async function orders(id: number): Promise<number> {
  const { rows } = await stage.direct.query('select count(*)::int as n from orders where id = $1', [
    id,
  ])
  return rows[0].n
}

async function stateOf(id: string): Promise<string> {
  const shown = await postern(stage, 'bob', 'holds', 'show', id, '--json')
  return (JSON.parse(shown.stdout) as { state: string }).state
}

test('a held statement waits, is listed, and goes on in place after a data owner approves', async () => {
  const { client, id, answer } = await held('delete from orders where id = 901')
  expect(await orders(901)).toBe(1)
  const listed = await postern(stage, 'bob', 'holds', 'list')
  expect(listed.stdout).toContain(id)
  expect(listed.stdout).toContain('delete from orders where id = 901')
  const approved = await postern(stage, 'bob', 'holds', 'approve', id, '--note', 'fine by me')
  expect(approved.status).toBe(0)
  expect((await answer).rowCount).toBe(1)
  expect(await orders(901)).toBe(0)
  await client.end()
})

test('a refused hold refuses the statement and says who and why; the session goes on', async () => {
  const { client, id, answer } = await held('delete from orders where id = 902')
  await postern(stage, 'bob', 'holds', 'refuse', id, '--note', 'not today')
  await expect(answer).rejects.toMatchObject({ code: '42501' })
  expect(await orders(902)).toBe(1)
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await client.end()
})

test('nobody answers their own hold, and nobody outside the groups', async () => {
  const { client, id, answer } = await held('delete from orders where id = 903')
  for (const who of ['alice', 'support-bot'] as const) {
    const done = await postern(stage, who, 'holds', 'approve', id)
    expect(done.status).not.toBe(0)
  }
  expect(await orders(903)).toBe(1)
  await postern(stage, 'bob', 'holds', 'refuse', id)
  await expect(answer).rejects.toThrow()
  await client.end()
})

test('Ctrl-C while held abandons the hold and leaves the session usable', async () => {
  const { client, id, answer } = await held('delete from orders where id = 904')
  await cancel(client)
  await expect(answer).rejects.toMatchObject({ code: '57014' })
  expect(await stateOf(id)).toBe('abandoned')
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  expect(await orders(904)).toBe(1)
  await client.end()
})

test('a hang-up while held abandons the hold', async () => {
  const { client, id } = await held('delete from orders where id = 905')
  const socket = client as unknown as { connection: { stream: { destroy(): void } } }
  socket.connection.stream.destroy()
  await expect.poll(() => stateOf(id), { timeout: 5000, interval: 50 }).toBe('abandoned')
  await postern(stage, 'bob', 'holds', 'approve', id)
  await pause(100)
  expect(await orders(905)).toBe(1)
})

test('two reviewers at once: one vote counts, the statement runs once', async () => {
  const { client, id, answer } = await held('delete from orders where id = 906')
  const votes = await Promise.all([
    postern(stage, 'bob', 'holds', 'approve', id),
    postern(stage, 'bob', 'holds', 'approve', id),
  ])
  expect(votes.map((vote) => vote.status).filter((status) => status === 0)).toHaveLength(1)
  expect((await answer).rowCount).toBe(1)
  await client.end()
})

/** What libpq's PQcancel does: a second connection with the key of the first. */
async function cancel(client: pg.Client): Promise<void> {
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number }
  const net = await import('node:net')
  const request = Buffer.alloc(16)
  request.writeInt32BE(16, 0)
  request.writeInt32BE(80877102, 4)
  request.writeInt32BE(processID, 8)
  request.writeInt32BE(secretKey, 12)
  const socket = net.connect(stage.setup.ports.gate, '127.0.0.1')
  socket.end(request)
  await new Promise((resolve) => socket.once('close', resolve))
}
