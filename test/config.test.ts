import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ConfigInvalid, describe, loadConfig, type Parsed, parseConfig } from '../config.ts'

const protocols = ['postgres']

const good = `version: 1
identity:
  issuer: https://login.example.com
  audience: postern
  algorithms: [ES256]
bundle:
  source: ./policy.tar.gz
  keys:
    - { id: main, algorithm: ES256, file: ./bundle.pub.pem }
listeners:
  - id: shop
    protocol: postgres
    listen: 127.0.0.1:6432
    plain: true
    labels: { env: test }
    upstream:
      host: 127.0.0.1
      port: 5432
      plain: true
    credential:
      username: postern
      secret: { env: SHOP_PASSWORD }
`

function parse(text: string): Parsed {
  return parseConfig(text, { file: '/etc/postern/postern.yaml', protocols })
}

/** The good file with some text replaced; what is replaced must be there. */
function changed(...changes: readonly (readonly [from: string, to: string])[]): string {
  return changes.reduce((text, [from, to]) => {
    expect(text).toContain(from)
    return text.replace(from, to)
  }, good)
}

test('the shortest file has defaults for all the rest', () => {
  const { config, problems } = parse(good)
  expect(problems).toBeUndefined()
  expect(config).toMatchObject({
    state: '/etc/postern/state',
    server: {
      host: '127.0.0.1',
      port: 8471,
      hosts: [],
      opaApi: 'authenticated',
      tls: undefined,
    },
    identity: { claims: { groups: 'groups', pass: [] }, clockSkewS: 30, onTokenExpiry: 'end' },
    bundle: {
      name: 'postern',
      source: { kind: 'file', path: '/etc/postern/policy.tar.gz' },
      keys: [{ id: 'main', algorithm: 'ES256', file: '/etc/postern/bundle.pub.pem' }],
      pollMs: 60_000,
      maxStaleMs: undefined,
      demo: false,
    },
    audit: { folder: '/etc/postern/state/audit', durability: 'os', segmentBytesMax: 67_108_864 },
    holds: { pendingMax: 1000, pendingPerSubjectMax: 20 },
    masking: { key: undefined },
    log: { level: 'info' },
    limits: { sessionsMax: 10_000, sessionsPerSubjectMax: 1000, frameBytesMax: 16_777_216 },
    listeners: [
      {
        id: 'shop',
        host: '127.0.0.1',
        port: 6432,
        tls: undefined,
        upstream: { host: '127.0.0.1', port: 5432, tls: undefined },
        credential: { username: 'postern', secret: { env: 'SHOP_PASSWORD' } },
      },
    ],
    admin: { groups: [] },
  })
})

test('the example in deploy parses and says what it names', () => {
  const text = readFileSync(join(import.meta.dirname, '../deploy/postern.example.yaml'), 'utf8')
  const { config, problems } = parse(text)
  expect(problems).toBeUndefined()
  expect(config?.listeners[0]).toMatchObject({
    host: '0.0.0.0',
    tls: { cert: '/etc/postern/gate.crt', key: '/etc/postern/gate.key' },
    upstream: { tls: { ca: '/etc/postern/db-ca.crt', servername: 'db.internal' } },
  })
})

test('the example with every setting uncommented parses too', () => {
  const file = join(import.meta.dirname, '../deploy/postern.example.yaml')
  const all = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => line.replace(/^(\s*)# (\s*(?:- )?[a-z_]+:( |$))/, '$1$2'))
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
  const { config, problems } = parse(all)
  expect(problems).toBeUndefined()
  expect(config).toMatchObject({
    server: { hosts: ['postern.example.com'], tls: { cert: '/etc/postern/server.crt' } },
    identity: { jwks: '/etc/postern/jwks.json', claims: { type: 'kind', pass: ['department'] } },
    bundle: {
      scope: 'production',
      maxStaleMs: 86_400_000,
      shadow: {
        source: { kind: 'http', url: 'https://bundles.example.com/postern-next.tar.gz' },
        pollMs: 60_000,
      },
    },
    audit: { key: '/etc/postern/audit.key' },
    masking: { key: { file: '/etc/postern/mask.key' } },
    admin: { groups: ['security'] },
  })
})

test.each<readonly [what: string, from: string, to: string, path: string, line: number, RegExp]>([
  ['no version', 'version: 1\n', '', 'version', 1, /is missing; write version: 1/],
  ['another version', 'version: 1', 'version: 2', 'version', 1, /is 2; write version: 1/],
  ['an unknown setting', 'version: 1', 'version: 1\nlogg: {}', 'logg', 2, /did you mean log\?/],
  [
    'an unknown setting within',
    '  audience: p',
    '  audince: p',
    'identity.audince',
    4,
    /did you mean audience\?/,
  ],
  [
    'nothing like it',
    'port: 5432',
    'port: 5432\n      zebra: 1',
    'listeners[0].upstream.zebra',
    19,
    /use host, port, tls, plain/,
  ],
  [
    'a missing group',
    /* all of bundle is renamed */ 'bundle:',
    'bundel:',
    'bundle',
    1,
    /is missing; give source and keys/,
  ],
  [
    'an empty group',
    'labels: { env: test }',
    'labels:',
    'listeners[0].labels',
    15,
    /is empty; give labels/,
  ],
  [
    'a text for a number',
    'port: 5432',
    'port: many',
    'listeners[0].upstream.port',
    18,
    /is "many"; give a port from 1/,
  ],
  [
    'a number too large',
    'port: 5432',
    'port: 65536',
    'listeners[0].upstream.port',
    18,
    /is 65536; give a port/,
  ],
  [
    'a fraction',
    'port: 5432',
    'port: 1.5',
    'listeners[0].upstream.port',
    18,
    /is 1.5; give a port/,
  ],
  [
    'no host',
    '      host: 127.0.0.1\n',
    '',
    'listeners[0].upstream.host',
    16,
    /is missing; give a host/,
  ],
  [
    'an address without a port',
    '127.0.0.1:6432',
    '127.0.0.1',
    'listeners[0].listen',
    13,
    /give host:port/,
  ],
  [
    'an address beyond all ports',
    '127.0.0.1:6432',
    '127.0.0.1:70000',
    'listeners[0].listen',
    13,
    /give host:port/,
  ],
  [
    'another protocol',
    'protocol: postgres',
    'protocol: telnet',
    'listeners[0].protocol',
    12,
    /is "telnet"; use one of postgres/,
  ],
  ['an id with spaces', 'id: shop', 'id: "my shop"', 'listeners[0].id', 11, /give a short name/],
  [
    'an issuer without TLS',
    'https://login',
    'http://login',
    'identity.issuer',
    3,
    /give an https URL/,
  ],
  [
    'an issuer with a password',
    'https://login',
    'https://me:hunter2@login',
    'identity.issuer',
    3,
    /without user/,
  ],
  [
    'an issuer that is no URL',
    'https://login.example.com',
    'login',
    'identity.issuer',
    3,
    /is "login"; give an https URL/,
  ],
  [
    'no algorithm',
    '[ES256]',
    '[]',
    'identity.algorithms',
    5,
    /is an empty list; name at least one/,
  ],
  [
    'a symmetric algorithm',
    '[ES256]',
    '[ES256, HS256]',
    'identity.algorithms[1]',
    5,
    /is "HS256"; use asymmetric ones/,
  ],
  [
    'no signature at all',
    '[ES256]',
    '[none]',
    'identity.algorithms[0]',
    5,
    /is "none"; use asymmetric/,
  ],
  [
    'a bundle over plain HTTP',
    './policy.tar.gz',
    'http://b.example.com/x',
    'bundle.source',
    7,
    /an https URL/,
  ],
  [
    'a bundle from nowhere known',
    './policy.tar.gz',
    'ftp://b.example.com/x',
    'bundle.source',
    7,
    /an https URL/,
  ],
  [
    'no bundle key',
    '\n    - { id: main, algorithm: ES256, file: ./bundle.pub.pem }',
    ' []',
    'bundle.keys',
    8,
    /at least one public key/,
  ],
  [
    'two bundle keys of one id',
    'listeners:',
    '    - { id: main, algorithm: ES256, file: ./b }\nlisteners:',
    'bundle.keys[1].id',
    10,
    /same as that of bundle.keys\[0\]/,
  ],
  [
    'a symmetric bundle key',
    'algorithm: ES256',
    'algorithm: HS256',
    'bundle.keys[0].algorithm',
    9,
    /is "HS256"; use one of/,
  ],
  [
    'a literal secret',
    '{ env: SHOP_PASSWORD }',
    'hunter2',
    'listeners[0].credential.secret',
    22,
    /never the secret itself/,
  ],
  [
    'two places for a secret',
    '{ env: SHOP_PASSWORD }',
    '{ env: A, file: b }',
    'listeners[0].credential.secret',
    22,
    /has env and file at once; keep one/,
  ],
  [
    'no place for a secret',
    '{ env: SHOP_PASSWORD }',
    '{}',
    'listeners[0].credential.secret',
    22,
    /has none of env, file, command/,
  ],
  [
    'a command as one text',
    '{ env: SHOP_PASSWORD }',
    '{ command: "cat x" }',
    'listeners[0].credential.secret.command',
    22,
    /give a list: the program/,
  ],
  [
    'a literal mask key',
    'version: 1',
    'version: 1\nmasking: { key: hunter2 }',
    'masking.key',
    2,
    /never the secret itself/,
  ],
  [
    'neither tls nor plain',
    '    plain: true\n    labels',
    '    labels',
    'listeners[0]',
    11,
    /has none of tls, plain/,
  ],
  [
    'tls and plain',
    '    plain: true\n    labels',
    '    plain: true\n    tls: { cert: a, key: b }\n    labels',
    'listeners[0]',
    11,
    /has tls and plain at once/,
  ],
  [
    'plain beyond loopback',
    '127.0.0.1:6432',
    '0.0.0.0:6432',
    'listeners[0].plain',
    14,
    /tokens over the network unencrypted/,
  ],
  [
    'plain: false',
    '    plain: true\n    labels',
    '    plain: false\n    labels',
    'listeners[0].plain',
    14,
    /is false; write plain: true/,
  ],
  [
    'plain to another machine',
    'host: 127.0.0.1',
    'host: db.internal',
    'listeners[0].upstream.plain',
    19,
    /credential over the network/,
  ],
  [
    'neither to the datastore',
    '      plain: true\n',
    '',
    'listeners[0].upstream',
    16,
    /has none of tls, plain/,
  ],
  [
    'no environment',
    '{ env: test }',
    '{ team: shop }',
    'listeners[0].labels.env',
    15,
    /is missing; name the environment/,
  ],
  [
    'a label that is a list',
    '{ env: test }',
    '{ env: [test] }',
    'listeners[0].labels.env',
    15,
    /is a list; give a name/,
  ],
  [
    'a label with odd letters',
    '{ env: test }',
    '{ env: test, "A b": c }',
    'listeners[0].labels.A b',
    15,
    /not a name that can be used/,
  ],
  [
    'a server for everyone without TLS',
    'version: 1',
    'version: 1\nserver: { listen: "0.0.0.0:8471" }',
    'server.listen',
    2,
    /without TLS; add tls/,
  ],
  [
    'a receiver of decision logs without TLS',
    'version: 1',
    'version: 1\ndecision_logs: { url: "http://logs.example.com" }',
    'decision_logs.url',
    2,
    /https URL/,
  ],
  [
    'a pointer at nothing that can be taken out',
    'version: 1',
    'version: 1\ndecision_logs: { url: "https://l.example.com", erased: [/labels] }',
    'decision_logs.erased[0]',
    2,
    /JSON pointer below/,
  ],
  [
    'a receiver that is to be signed for',
    'version: 1',
    'version: 1\ndecision_logs: { url: "https://l.example.com", auth: { aws: { region: a, access_key: { env: A }, secret_key: { env: B } } } }',
    'decision_logs.auth',
    2,
    /bearer, basic, tls/,
  ],
  [
    'a token where its place belongs',
    'version: 1',
    'version: 1\ndecision_logs: { url: "https://l.example.com", auth: { bearer: hunter2 } }',
    'decision_logs.auth.bearer',
    2,
    /^is not a string that fits; say where/,
  ],
  [
    'an unknown openness',
    'version: 1',
    'version: 1\nserver: { opa_api: open }',
    'server.opa_api',
    2,
    /open_on_loopback/,
  ],
  [
    'a port used twice',
    '127.0.0.1:6432',
    '127.0.0.1:8471',
    'listeners[0].listen',
    13,
    /takes the port of server.listen/,
  ],
  [
    'no listener',
    good.slice(good.indexOf('listeners:')),
    'listeners: []\n',
    'listeners',
    10,
    /is an empty list; give at least one/,
  ],
  [
    'a list for a group',
    good.slice(good.indexOf('bundle:'), good.indexOf('listeners:')),
    'bundle: []\n',
    'bundle',
    6,
    /is an empty list; give source and keys/,
  ],
  [
    'an unknown durability',
    'version: 1',
    'version: 1\naudit: { durability: maybe }',
    'audit.durability',
    2,
    /is "maybe"; write os or disk/,
  ],
  [
    'a wait beyond reason',
    'version: 1',
    'version: 1\nholds: { pending_max: 0 }',
    'holds.pending_max',
    2,
    /is 0; give a number from 1/,
  ],
])('%s', (_, from, to, path, line, message) => {
  const { problems = [] } = parse(changed([from, to]))
  const found = problems.find((problem) => problem.path === path)
  expect(problems.map((problem) => problem.path)).toContain(path)
  expect(found?.line).toBe(line)
  expect(`${found?.problem}; ${found?.fix}`).toMatch(message)
  expect(JSON.stringify(problems)).not.toContain('hunter2')
})

test('every mistake is reported in one run, in the order of the file', () => {
  const { problems = [] } = parse(
    changed(
      ['version: 1', 'version: 3'],
      ['https://login', 'http://login'],
      ['algorithm: ES256', 'algorithm: MD5'],
      ['  - id: shop', '  - id: Shop!'],
      ['plain: true\n    labels: { env: test }', 'labels: { team: x }'],
      ['      plain: true', '      plian: true'],
      ['port: 5432', 'port: 0'],
      ['{ env: SHOP_PASSWORD }', 'hunter2'],
    ),
  )
  expect(problems.map(({ path }) => path)).toEqual([
    'version',
    'identity.issuer',
    'bundle.keys[0].algorithm',
    'listeners[0].id',
    'listeners[0]',
    'listeners[0].labels.env',
    'listeners[0].upstream',
    'listeners[0].upstream.port',
    'listeners[0].upstream.plian',
    'listeners[0].credential.secret',
  ])
})

test('two listeners need ids and ports of their own', () => {
  const listener = good.slice(good.indexOf('  - id: shop'))
  const { problems = [] } = parse(good + listener)
  expect(problems).toEqual([
    {
      path: 'listeners[1].id',
      line: 23,
      problem: 'is the same as that of listeners[0]',
      fix: 'give each listener an id of its own',
    },
    {
      path: 'listeners[1].listen',
      line: 25,
      problem: 'takes the port of listeners[0].listen',
      fix: 'give it a port of its own',
    },
  ])
  expect(
    parse(good + listener.replace('shop', 'b').replace('6432', '6433')).problems,
  ).toBeUndefined()
  const free = good.replace('6432', '0') + listener.replace('shop', 'b').replace('6432', '0')
  expect(parse(free).problems).toBeUndefined()
})

test.each([
  ['127.0.0.1:6432', '127.0.0.1', 6432],
  ['localhost:1', 'localhost', 1],
  ['"[::1]:65535"', '::1', 65_535],
])('listen: %s', (listen, host, port) => {
  expect(parse(changed(['127.0.0.1:6432', listen])).config?.listeners[0]).toMatchObject({
    host,
    port,
  })
})

test.each([
  ['what is not YAML', 'a: [1', 1],
  ['a setting given twice', `${good}version: 1\n`, 23],
  ['a tab for indentation', 'identity:\n\taudience: x', 2],
  ['two documents', `${good}---\n${good}`, 23],
  ['a tag of unknown meaning', good.replace('version: 1', 'version: !!js/function 1'), 1],
])('%s is reported with its line', (_, text, line) => {
  const { problems = [] } = parse(text)
  expect(problems[0]).toMatchObject({ path: '', line })
})

test.each([
  ['an empty file', ''],
  ['a list', '- 1'],
  ['a text', 'hello'],
  [
    'aliases that multiply',
    `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(50)}]\nc: [${'*b,'.repeat(50)}]`,
  ],
  ['more than a megabyte', `# ${'x'.repeat(1024 * 1024)}`],
  ['a prototype', `${good}__proto__: { demo: true }\n`],
])('%s is no configuration', (_, text) => {
  expect(parse(text).problems?.length).toBeGreaterThan(0)
})

test('what the settings show holds no secret and no argument of a command', () => {
  const { config } = parse(
    changed(['{ env: SHOP_PASSWORD }', '{ command: [./get, -token=hunter2] }']),
  )
  const shown = config && describe(config)
  expect(JSON.stringify(shown)).not.toContain('hunter2')
  expect(shown).toMatchObject({
    identity: { clock_skew_s: 30, on_token_expiry: 'end' },
    listeners: [{ credential: { secret: { command: ['/etc/postern/get', '...'] } } }],
  })
})

test('labels keep their names where all other names change', () => {
  const { config } = parse(changed(['{ env: test }', '{ env: test, cost_center: a }']))
  expect(config && describe(config)).toMatchObject({
    listeners: [{ labels: { env: 'test', cost_center: 'a' } }],
  })
})

test('a file that names what is not there is refused with all of it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-config-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'postern.yaml')
  writeFileSync(file, good)
  const thrown = failure(() => loadConfig(file, protocols, {}))
  expect(thrown).toBeInstanceOf(ConfigInvalid)
  expect((thrown as ConfigInvalid).problems.map(({ path, line }) => [path, line])).toEqual([
    ['bundle.keys[0].file', 9],
    ['listeners[0].credential.secret.env', 22],
  ])
  expect(loadConfig(file, protocols).bundle.source).toEqual({
    kind: 'file',
    path: join(folder, 'policy.tar.gz'),
  })
  expect(String(thrown)).toContain(`${file} has 2 problems:\n  line 9: bundle.keys[0].file names `)
  writeFileSync(join(folder, 'bundle.pub.pem'), '')
  expect(loadConfig(file, protocols, { SHOP_PASSWORD: 'x' }).state).toBe(join(folder, 'state'))
})

test('a file that is not there is one problem', () => {
  expect(() => loadConfig('/nonexistent/postern.yaml', protocols, {})).toThrow('cannot be read')
})

function failure(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}
