import { expect, onTestFinished, test } from 'vitest'
import { classified, type GrantsParts, grantsCommand } from '../../pdp/commands/grants.ts'
import type { ListenerSettings, Settings } from '../../pdp/commands/settings.ts'
import { roles } from '../../sidecars/roles.ts'
import { startPostgres } from '../servers/postgres.ts'

const data = { catalog: { shop: { 'public.customers': { email: 'email', 'odd.name': 'email' } } } }

const login = (username: string) => ({ username, secret: { env: 'SECRET' } })
const listener = (rest: Partial<ListenerSettings> = {}): ListenerSettings => ({
  id: 'shop',
  protocol: 'postgres',
  host: '127.0.0.1',
  port: 0,
  labels: {},
  upstream: { host: '127.0.0.1', port: 1 },
  credential: login('reader'),
  ...rest,
})

const parts = (
  one: ListenerSettings,
  script: GrantsParts['script'] = async () => '',
): GrantsParts => ({
  settings: () => ({ listeners: [one] }) as unknown as Settings,
  data: async () => data,
  script,
})

async function run(args: readonly string[], using: GrantsParts, secret = 'x'): Promise<string> {
  let out = ''
  const stdout = (text: string): void => {
    out += text
  }
  const io = { stdout, stderr: () => undefined }
  await grantsCommand(args, { ...io, env: { SECRET: secret } }, using)
  return out
}

test.each([
  [['--database', 'd'], /which listener/],
  [['shop'], /which database/],
  [['other', '--database', 'd', '--role', 'r'], /no listener other/],
  [['shop', '--database', 'd'], /which role/],
  [['shop', '--database', 'd', '--role', 'reader'], /may read everything/],
])('%j is not enough', async (args, why) => {
  await expect(run(args, parts(listener()))).rejects.toThrow(why)
})

test('the columns of one resource are those the bundle classifies', () => {
  expect([...classified(data, 'shop')]).toEqual([
    'public.customers.email',
    'public.customers.odd.name',
  ])
  expect(() => classified(data, 'other')).toThrow(/no column of other/)
  expect(() => classified('', 'shop')).toThrow(/no column/)
})

test('what grants prints is what check asks for', async () => {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  server.sql(
    "create table customers (id int, email text); create role sealed login password 's'; revoke temporary on database postgres from public",
  )
  const { port, superuser } = server
  const upstream = { host: '127.0.0.1', port }
  const one = listener({
    upstream,
    credential: login(superuser.username),
    sealedCredential: { username: 'sealed', secret: { env: 'SEALED' } },
  })
  const looking = { database: 'postgres', protectedColumns: classified(data, 'shop') }
  const sealed = { username: 'sealed', secret: { reveal: () => 's' } }
  const problems = () => roles.postgres.verify({ upstream, credential: sealed, ...looking })
  expect(await problems()).toEqual(['cannot read public.customers.id'])
  server.sql('grant select on customers to sealed')
  expect(await problems()).toEqual([
    'can read public.customers.email: too much is GRANT SELECT ON public.customers TO sealed',
  ])
  const using = parts(one, (_, granting) => roles.postgres.grants(granting))
  const script = await run(['shop', '--database', 'postgres'], using, superuser.password)
  expect(script).toContain(
    'GRANT SELECT ("id"), REFERENCES ON TABLE "public"."customers" TO "sealed";',
  )
  server.sql(script)
  expect(await problems()).toEqual([])
})
