import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { message } from '../../../sidecars/postgres/frames.ts'
import type { Datastore } from '../../conformance/fixture.ts'
import { fixture } from '../../conformance/postgres/fixture.ts'
import { type Stand, stand } from '../../conformance/stand.ts'
import { conformance } from '../../conformance.ts'
import { allow, bob, commands, pending } from '../../pdp/kit.ts'
import { query } from './messages.ts'

conformance(fixture)

describe('found by trying', () => {
  let datastore: Datastore
  beforeAll(async () => {
    datastore = await fixture.start('A')
  })
  afterAll(() => datastore.stop())

  /** Says these at once and answers everything the client saw. */
  async function saying(here: Stand, frames: readonly Buffer[], answers = frames.length) {
    const client = await here.connect()
    return client.say({ name: '', bytes: Buffer.concat(frames), answers })
  }
  const shown = ({ bytes }: { readonly bytes: Buffer }): readonly string[] =>
    datastore.hidden.filter((value) => bytes.includes(value))

  const second = 'select email from customers'
  test.each([
    ['in the same query', [query(`set xmloption = document; ${second}`)]],
    ['right behind it', [query('set xmloption = document'), query(second)]],
    [
      'behind a temporary table',
      [query('create temp table customers (email text)'), query(second)],
    ],
  ])('what follows an incomplete statement is doubted %s', async (_, frames) => {
    const here = await stand(fixture, datastore, { policy: () => allow })
    await saying(here, frames)
    const last = here.entries.filter(({ kind }) => kind === 'decision').at(-1)
    expect(last).toMatchObject({
      input: { action: { text: second, incomplete: expect.any(String) } },
    })
  })

  test('errors stay withheld while a later statement of the same query is held', async () => {
    const here = await stand(fixture, datastore)
    const failing = `select phone::int, 'mask' from customers where id = 2; select 'hold'`
    const answer = saying(here, [query('select pg_sleep(0.1)'), query(failing)])
    const waiting = (): number => here.desk.list({ state: 'pending' }).length
    await expect.poll(waiting, { interval: 1 }).toBe(1)
    const { id } = await pending(here.desk)
    const first = (): boolean => here.entries.some(({ kind }) => kind === 'outcome')
    await expect.poll(first, { interval: 1 }).toBe(true)
    await here.desk.vote(id, bob, 'approve')
    expect(shown(await answer)).toEqual([])
  })

  test('an error reads the same whether or not the client waited before it', async () => {
    const here = await stand(fixture, datastore)
    const [first, then] = [query(`select phone, 'mask' from customers`), query('select nothing')]
    const hasty = await here.connect()
    await hasty.say({ name: 'both at once', bytes: Buffer.concat([first, then]), answers: 2 })
    const patient = await here.connect()
    await patient.say({ name: 'the first', bytes: first })
    await patient.say({ name: 'the second', bytes: then })
    expect(fixture.stable(hasty.seen())).toBe(fixture.stable(patient.seen()))
  })

  test.each([
    ['Sync', 'S'],
    ['Flush', 'H'],
    ['Terminate', 'X'],
  ])('a %s with something in it is not passed on', async (_, letter) => {
    const here = await stand(fixture, datastore)
    const odd = message(letter, 'something')
    const client = await here.connect()
    client.send({ name: letter, bytes: odd })
    await expect.poll(() => client.closed(), { interval: 1, timeout: 500 }).toBe(true)
    expect(here.tap.carried('something')).toBe(false)
  })

  test.each([
    ['a notification', "listen ch; select pg_notify('ch', phone) from customers where id = 2"],
    [
      'a setting',
      "select set_config('application_name', phone, false) from customers where id = 2",
    ],
  ])('a protected value does not leave in %s', async (_, sql) => {
    const masks = fixture.masks.map((mask) => ({ ...mask, on_predicate: 'allow' as const }))
    const policy = commands(() => ({ ...allow, masks }))
    const here = await stand(fixture, datastore, { policy })
    expect(shown(await saying(here, [query(sql), query('select 1')]))).toEqual([])
  })
})
