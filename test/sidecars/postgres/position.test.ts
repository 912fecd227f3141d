import { beforeAll, expect, test } from 'vitest'
import { ready } from '../../../sidecars/postgres/read/parser.ts'
import { fields } from '../../../sidecars/postgres/report.ts'
import { loggedIn } from './client.ts'
import * as m from './messages.ts'
import { shop } from './shop.ts'

const here = shop()
beforeAll(() => ready)

/** Where the server points: the text from there on, up to the next blank. */
const pointed = (text: string, frames: readonly Buffer[]): string | undefined => {
  const { P } = fields(frames.find((frame) => frame[0] === 0x45) ?? Buffer.alloc(6))
  return P === undefined
    ? undefined
    : [...text]
        .slice(Number(P) - 1)
        .join('')
        .split(/\s/)[0]
}

test.each([
  ['select nothing', 'nothing'],
  ['  /* a comment */ select\n   1,\n nothing -- here', 'nothing'],
  ["select 'ü😀é' , nothing", 'nothing'],
  ['select id::text from customers where nothing = 1', 'nothing'],
  ['select 1 from nowhere', 'nowhere'],
  ['select 1; /* then */ select   1 from nowhere', 'nowhere'],
  ["select 1 where 1 = 'x'", "'x'"],
  ['nothing_like_sql', 'nothing_like_sql'],
])('an error in %j points at %s, in a Query and in a Parse', async (text, word) => {
  const client = await loggedIn(here.plainPort)
  client.send(m.query(text))
  expect(pointed(text, await client.until('Z'))).toBe(word)
  if (!text.includes(';')) {
    client.send(m.parse('', text), m.sync)
    expect(pointed(text, await client.until('Z'))).toBe(word)
  }
  client.socket.destroy()
})

test('an error that comes later points nowhere rather than elsewhere', async () => {
  const client = await loggedIn(here.plainPort)
  client.send(m.query('create table gone (a int)'))
  await client.until('Z')
  client.send(m.parse('s', '/* long ago */ select a::text from gone'), m.sync)
  await client.until('Z')
  client.send(m.query('alter table gone rename a to b'))
  await client.until('Z')
  client.send(m.bind('', 's'), m.execute(), m.sync)
  const error = (await client.until('Z')).find((frame) => frame[0] === 0x45)
  expect(fields(error ?? Buffer.alloc(6))).toMatchObject({ C: '42703' })
  expect(fields(error ?? Buffer.alloc(6))).not.toHaveProperty('P')
  client.socket.destroy()
})
