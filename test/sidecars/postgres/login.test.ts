import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { expect, test } from 'vitest'
import { codes, Malformed, Refusal } from '../../../pdp/refusal.ts'
import { cancelKeys } from '../../../sidecars/postgres/cancel.ts'
import { names } from '../../../sidecars/postgres/names.ts'
import { fatal, fields } from '../../../sidecars/postgres/report.ts'
import { scram } from '../../../sidecars/postgres/scram.ts'
import { sqlstate } from '../../../sidecars/postgres/sqlstate.ts'

const hmac = (key: Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest()

/** The server's side of RFC 5802, written from the RFC. */
function server(password: string, first: string, iterations: number) {
  const bare = first.replace(/^[^,]*,[^,]*,/, '')
  const nonce = `${/r=([^,]*)/.exec(bare)?.[1]}more`
  const salt = Buffer.from('salt')
  const challenge = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  return {
    challenge,
    finish(answer: string): string | undefined {
      const [unproven = '', proof = ''] = answer.split(',p=')
      const exchange = `${bare},${challenge},${unproven}`
      const stored = createHash('sha256').update(hmac(salted, 'Client Key')).digest()
      const signature = hmac(stored, exchange)
      const key = Buffer.from(proof, 'base64').map((byte, at) => byte ^ (signature[at] ?? 0))
      if (!createHash('sha256').update(key).digest().equals(stored)) return undefined
      return `v=${hmac(hmac(salted, 'Server Key'), exchange).toString('base64')}`
    },
  }
}

test('SCRAM proves the password both ways', async () => {
  const client = scram('secret', ['SCRAM-SHA-256'])
  if (client === undefined) throw new Error('no mechanism')
  const honest = server('secret', client.first, 4096)
  const final = honest.finish(await client.answer(honest.challenge))
  expect(() => client.verify(final ?? '')).not.toThrow()
  for (const forged of ['', 'v=', 'v=AAAA', 'e=other-error'])
    expect(() => client.verify(forged)).toThrow(Malformed)
})

test.each([
  ['another nonce', 'r=other,s=c2FsdA==,i=4096'],
  ['too few iterations', 'ITER=1'],
  ['iterations without end', 'ITER=2000000000'],
  ['no salt', 'NOSALT'],
])('SCRAM stops at a challenge with %s', async (_, kind) => {
  const client = scram('secret', ['SCRAM-SHA-256'])
  if (client === undefined) throw new Error('no mechanism')
  const nonce = `${/r=(.*)$/.exec(client.first)?.[1]}x`
  const challenge = kind.startsWith('ITER')
    ? `r=${nonce},s=c2FsdA==,i=${kind.slice(5)}`
    : kind === 'NOSALT'
      ? `r=${nonce},i=4096`
      : kind
  await expect(client.answer(challenge)).rejects.toThrow(Malformed)
})

test('SCRAM is not done with anything weaker', () => {
  expect(scram('secret', ['SCRAM-SHA-1', 'PLAIN'])).toBeUndefined()
})

test('cancel keys work once issued, until forgotten, and guessing is cut off', () => {
  let nowMs = 0
  const keys = cancelKeys(() => nowMs)
  let cancels = 0
  const { key, forget } = keys.issue(0, () => {
    cancels += 1
  })
  const long = keys.issue(2, () => undefined)
  expect([key.length, long.key.length]).toEqual([8, 36])
  expect(keys.use(key, 'a')).toBe(true)
  const wrong = Buffer.from(key)
  wrong.writeUInt8(wrong.readUInt8(7) ^ 1, 7)
  for (let count = 0; count < 10; count += 1) expect(keys.use(wrong, 'b')).toBe(false)
  expect(keys.use(key, 'b')).toBe(false)
  expect(keys.use(key, 'a')).toBe(true)
  nowMs += 60_001
  expect(keys.use(key, 'b')).toBe(true)
  expect(cancels).toBe(3)
  forget()
  expect(keys.use(key, 'a')).toBe(false)
  expect(keys.use(Buffer.alloc(3), 'a')).toBe(false)
})

test('a name means what its own batch made of it, and is unsettled for others', () => {
  const one = names<{ readonly at: number }>()
  const change = { name: 's', value: { at: 1 }, batch: 1 }
  one.propose(change)
  expect(one.get('s', 1)).toEqual({ at: 1 })
  expect(one.get('s', 2)).toBe('unsettled')
  expect(one.get('other', 2)).toBeUndefined()
  one.settle(change)
  expect(one.get('s', 2)).toEqual({ at: 1 })
  const all = { name: undefined, value: undefined, batch: 2 }
  one.propose(all)
  expect(one.get('s', 2)).toBeUndefined()
  expect(one.get('s', 3)).toBe('unsettled')
  one.drop(all)
  expect(one.get('s', 3)).toEqual({ at: 1 })
  one.propose(all)
  one.settle(all)
  expect(one.get('s', 3)).toBeUndefined()
  expect(one.size).toBe(0)
})

test('every code has an SQLSTATE, and a refusal says everything it carries', () => {
  for (const code of Object.keys(codes)) expect(sqlstate).toHaveProperty(code)
  for (const state of Object.values(sqlstate)) expect(state).toMatch(/^[0-9A-Z]{5}$/)
  const detail = {
    rule: 'policies.x',
    decision: 'd1',
    ticket: 't1',
    retryAfterS: 3,
    remedy: 'wait',
  }
  expect(fields(fatal(new Refusal('quota_exceeded', 'no\0more', detail)))).toEqual({
    S: 'FATAL',
    V: 'FATAL',
    C: '53400',
    M: 'postern: no more',
    D: 'rule policies.x, code quota_exceeded, decision d1, ticket t1, retry after 3 s',
    H: 'wait',
  })
})
