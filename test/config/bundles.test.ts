/** The settings of bundles, the bundle server and the gate's name. */
import { expect, test } from 'vitest'
import { describe, parseConfig } from '../../config.ts'

const head = `version: 1
identity: { issuer: https://login.example.com, audience: postern, algorithms: [ES256] }
`
const keys = 'keys: [{ id: main, algorithm: ES256, file: ./main.pem }]'
const listeners = `listeners:
  - id: shop
    protocol: postgres
    listen: 127.0.0.1:6432
    plain: true
    labels: { env: test }
    upstream: { host: 127.0.0.1, port: 5432, plain: true }
    credential: { username: postern, secret: { env: SHOP } }
`
const publishes = 'bundle_server: { push: { groups: [ci] }, pull: { groups: [gates] } }\n'
const parse = (text: string, env?: Record<string, string>) =>
  parseConfig(head + text, {
    file: '/etc/postern/postern.yaml',
    protocols: ['postgres'],
    ...(env && { env }),
  })

test('a process may be a bundle server alone, and runs what it publishes', () => {
  const { config, problems } = parse(`bundle: { ${keys} }\n${publishes}`)
  expect(problems).toBeUndefined()
  expect(config).toMatchObject({
    listeners: [],
    bundle: {
      source: { kind: 'published', folder: '/etc/postern/state/published', name: 'postern' },
      signaturesMin: 1,
    },
    bundleServer: {
      folder: '/etc/postern/state/published',
      names: ['postern'],
      keep: 20,
      gatesMax: 500,
      push: { groups: ['ci'], subjects: [] },
      pull: { groups: ['gates'], token: undefined, clientCa: undefined, open: false },
    },
  })
})

test('a gate has a name, and shows servers who it is', () => {
  const auth = 'auth: { aws: { region: r, access_key: { env: A }, secret_key: { file: ./s } } }'
  const { config, problems } = parse(`gate:
  name: shop-1
  labels: { env: staging }
  report: { url: https://bundles.example.com, auth: { bearer: { env: T } }, ca: ./ca.pem }
bundle: { source: https://s3.example.com/b/p.tar.gz, ${auth}, ${keys}, signatures_min: 1 }
${listeners}`)
  expect(problems).toBeUndefined()
  expect(config).toMatchObject({
    gate: {
      name: 'shop-1',
      labels: { env: 'staging' },
      report: { auth: { kind: 'bearer', token: { env: 'T' } }, ca: '/etc/postern/ca.pem' },
    },
    bundle: {
      auth: { kind: 'aws', service: 's3', secretKey: { file: '/etc/postern/s' } },
    },
  })
  expect(JSON.stringify(config && describe(config))).toContain('shop-1')
})

const remote = (more: string): string =>
  `bundle: { source: https://b.example.com/p, ${more}, ${keys} }\n${listeners}`
const server = (push: string, pull: string, more = ''): string =>
  `${more}bundle: { ${keys} }\nbundle_server: { push: ${push}, pull: ${pull} }\n`

test.each([
  ['no source', `bundle: { ${keys} }\n${listeners}`, 'bundle.source', /is missing.*bundle_server/],
  ['no listener', `bundle: { source: ./p, ${keys} }\n`, 'listeners', /is missing.*at least one/],
  ['an empty list', `bundle: { source: ./p, ${keys} }\nlisteners: []\n`, 'listeners', /empty list/],
  [
    'two ways',
    remote('auth: { bearer: { env: A }, tls: { cert: c, key: k } }'),
    'bundle.auth',
    /bearer and tls/,
  ],
  ['no way', remote('auth: {}'), 'bundle.auth', /has none of bearer, basic, tls, aws/],
  [
    'a secret itself',
    remote('auth: { bearer: hunter2 }'),
    'bundle.auth.bearer',
    /never the secret/,
  ],
  ['two places', remote('auth: { bearer: { env: A, file: b } }'), 'bundle.auth.bearer', /at once/],
  [
    'an empty place',
    remote('auth: { aws: { region: r, access_key: {}, secret_key: { env: B } } }'),
    'bundle.auth.aws.access_key',
    /has none of env/,
  ],
  [
    'auth for a file',
    `bundle: { source: ./p, auth: { bearer: { env: A } }, ${keys} }\n${listeners}`,
    'bundle.auth',
    /of no use/,
  ],
  ['too many signers', remote('signatures_min: 17'), 'bundle.signatures_min', /from 1 to 16/],
  ['more than there are', remote('signatures_min: 2'), 'bundle.signatures_min', /than bundle.keys/],
  ['nobody who pushes', server('{}', '{ groups: [g] }'), 'bundle_server.push', /nobody push/],
  ['no gate that pulls', server('{ groups: [ci] }', '{}'), 'bundle_server.pull', /no gate/],
  [
    'open to the network',
    server(
      '{ groups: [ci] }',
      '{ open: true }',
      'server: { listen: 0.0.0.0:1, tls: { cert: c, key: k } }\n',
    ),
    'bundle_server.pull.open',
    /everybody/,
  ],
  [
    'certificates without TLS',
    server('{ groups: [ci] }', '{ client_ca: ./ca }'),
    'bundle_server.pull.client_ca',
    /needs TLS/,
  ],
  [
    'a report in clear',
    `gate: { name: a, report: { url: http://b.example.com } }\n${remote('poll_s: 1')}`,
    'gate.report.url',
    /https URL/,
  ],
  ['a name with a space', `gate: { name: a b }\n${remote('poll_s: 1')}`, 'gate.name', /letters/],
])('%s is a mistake', (_what, text, path, problem) => {
  const { problems = [] } = parse(text)
  expect(problems.map((one) => one.path)).toEqual([path])
  expect(`${problems[0]?.problem}; ${problems[0]?.fix}`).toMatch(problem)
  expect(JSON.stringify(problems)).not.toContain('hunter2')
})

test('secrets and files that are named must be there', () => {
  const auth = 'auth: { bearer: { env: TOKEN } }'
  const text = `gate: { name: a, report: { url: https://b.example.com, ${auth}, ca: ./none } }
bundle:
  source: https://b.example.com/p
  auth: { basic: { username: u, password: { env: WORD } } }
  keys: [{ id: main, algorithm: ES256, file: /dev/null }]
bundle_server: { push: { groups: [ci] }, pull: { token: { env: PULL } } }
`
  const { problems = [] } = parse(text, {})
  expect(problems.map(({ path }) => path)).toEqual([
    'gate.report.ca',
    'gate.report.auth.bearer.env',
    'bundle.auth.basic.password.env',
    'bundle_server.pull.token.env',
  ])
})
