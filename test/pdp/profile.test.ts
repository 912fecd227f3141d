import { expect, test } from 'vitest'
import type { Obligation } from '../../pdp/contract.ts'
import { loginFor, profileOf } from '../../pdp/profile.ts'
import { secret } from '../../pdp/secret.ts'

const profile = (name: unknown): Obligation => ({ name: 'profile', args: { name } })
const login = (username: string) => ({
  credential: async () => ({ username, secret: secret('x') }),
})

test.each([
  [[], 'masked'],
  [[profile('masked')], 'masked'],
  [[profile('sealed')], 'sealed'],
  [[profile('masked'), profile('sealed')], 'sealed'],
  [[{ name: 'outlive_token' }], 'masked'],
] as const)('%j is %s', (obligations, wanted) => {
  expect(profileOf(obligations)).toBe(wanted)
})

test.each([[{ name: 'profile' }], [profile('open')], [profile(['sealed'])]])(
  '%j is refused',
  (one) => {
    expect(() => profileOf([profile('sealed'), one])).toThrow(/profile/)
  },
)

test('a sealed session never gets the other login', async () => {
  const both = [login('reader'), login('sealed')] as const
  expect(await loginFor('masked', ...both).credential()).toMatchObject({ username: 'reader' })
  expect(await loginFor('sealed', ...both).credential()).toMatchObject({ username: 'sealed' })
  expect(() => loginFor('sealed', both[0], undefined)).toThrow(/seals this session/)
})
