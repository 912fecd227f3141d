import { once } from 'node:events'
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { main } from '../main.ts'
import { questions } from '../pdp/question.ts'
import { canary, home, postern, project, type Ran, serving } from './gate.ts'
import { subject } from './pdp/server/kit.ts'

const demoKey = join(project, 'bundles/demo/demo.pub.pem')
const demoBundle = join(project, 'bundles/demo/demo.tar.gz')

async function json(url: string, token?: string): Promise<Record<string, unknown>> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  const answer = await fetch(url, { headers })
  const body: Record<string, unknown> = JSON.parse(await answer.text())
  return { ...body, status: answer.status }
}

/** Asks until a bundle was found or refused, for the test's own timeout at most. */
async function readiness(url: string, pending = 'no policy bundle'): Promise<string> {
  for (;;) {
    const { ready, reasons } = await json(`${url}/ready`)
    if (ready === true) return 'ready'
    if (!String(reasons).includes(pending)) return String(reasons)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Runs a command line in this process, for what ends before anything is opened. */
async function run(args: readonly string[]): Promise<Ran> {
  let [out, err] = ['', '']
  const stdout = (text: string): void => {
    out += text
  }
  const stderr = (text: string): void => {
    err += text
  }
  return { status: await main(args, { stdout, stderr, env: {} }), out, err }
}

function everything(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  return files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'))
    .join('\n')
}

test('help and version need nothing', async () => {
  const help = await postern(undefined, ['--help'])
  expect(help.status).toBe(0)
  for (const name of ['serve', 'check', 'decide', 'bundle', 'audit', 'holds', 'status']) {
    expect(help.out).toMatch(new RegExp(`^  ${name} +\\w`, 'm'))
  }
  expect(await postern(undefined, ['--version'])).toMatchObject({
    status: 0,
    out: expect.stringMatching(/^postern \d+\.\d+\.\d+\n$/),
  })
})

test.each(['serve', 'check', 'decide', 'bundle', 'audit', 'holds', 'status'])(
  '%s explains itself without a configuration',
  async (name) => {
    const { status, out, err } = await run([name, '--help'])
    expect(status).toBe(0)
    expect(out).toContain(`postern ${name}`)
    expect(err).toBe('')
  },
)

test.each([
  [[], 'Usage: postern <command>'],
  [['serv'], 'did you mean serve?'],
  [['\u001b[2J'], 'there is no command \\u{1b}[2J'],
  [['__proto__'], 'there is no command __proto__'],
  [['serve', '--confg', 'x'], "Unknown option '--confg'"],
  [['serve', 'postern.yaml'], 'postern.yaml is too much'],
  [['decide', '--bundle', 'x', '--input', 'y'], 'no such file'],
])('%j is answered on standard error', async (args, message) => {
  const { status, out, err } = await run(args)
  expect(status).toBeGreaterThan(0)
  expect(out).toBe('')
  expect(err).toContain(message)
  expect(err).not.toContain('    at ')
})

test('a configuration with many mistakes is one report, without a stack', async () => {
  const broken = await home((config) =>
    config
      .replace('audience: postern', 'audience: ""')
      .replace('[ES256]', '[HS256]')
      .replace('port: 1,', 'port: 99999,')
      .replace('env: SHOP_PASSWORD', 'password: hunter2'),
  )
  for (const command of ['check', 'serve']) {
    const { status, err } = await postern(broken, [command])
    expect(status).toBe(1)
    for (const path of ['audience', 'algorithms', 'upstream.port', 'credential.secret']) {
      expect(err).toContain(path)
    }
    expect(err).not.toMatch(/ {4}at |hunter2/)
  }
})

test('check tries everything and reports every problem at once', async () => {
  const sick = await home((config) =>
    config.replace('bundles/demo/demo.tar.gz', 'package.json').replace('jwks.json', 'postern.yaml'),
  )
  const { status, out, err } = await postern(sick, ['check'])
  expect(status).toBe(1)
  expect(out).toMatch(/^ok +state /m)
  expect(out).toMatch(/^problem +bundle /m)
  expect(out).toMatch(/^problem +issuer /m)
  expect(out).toMatch(/^problem +shop\.upstream +the datastore cannot be reached/m)
  expect(err).toContain('3 problems found')
  expect(out + err).not.toContain(canary)
})

test('check logs in to the datastore', async () => {
  const server = createServer((socket) => {
    // Authentication ok, then ready: a PostgreSQL that trusts everybody.
    socket.once('data', () =>
      socket.write(Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I', 'latin1')),
    )
    socket.on('error', () => undefined)
  })
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const well = await home((config) => config.replace('port: 1,', `port: ${port},`))
  const { status, out } = await postern(well, ['check'])
  expect(out).toMatch(/^ok +bundle +revision \S+, verified and loaded; the demo key is trusted/m)
  expect(out).toMatch(/^ok +shop\.upstream +logged in to 127\.0\.0\.1:\d+ without TLS/m)
  expect(status).toBe(0)
})

test('a gate starts, answers, stops when told to, and leaves a record that verifies', async () => {
  const well = await home()
  const gate = await serving(well)
  expect(await readiness(gate.url)).toBe('ready')
  const token = await well.token('root', ['admins'])
  const status = await json(`${gate.url}/v1/status`, token)
  expect(status).toMatchObject({
    phase: 'serving',
    bundle: { name: 'postern', active_revision: expect.any(String) },
    engine: { bundle: { stale: false } },
    audit: { dropped: 0 },
    listeners: [{ id: 'shop', port: gate.port, sessions: 0 }],
    config: { identity: { audience: 'postern' } },
  })
  const metrics = await (await fetch(`${gate.url}/metrics`)).text()
  const found = await json(`${gate.url}/v1/audit?kind=bundle`, token)
  expect(found['entries']).toMatchObject([{ kind: 'bundle', change: 'activated' }])
  const shown = await postern(well, ['status'], { POSTERN_SERVER: gate.url, POSTERN_TOKEN: token })
  expect(JSON.parse(shown.out)).toMatchObject({ phase: 'serving' })

  gate.child.kill('SIGTERM')
  expect(await gate.ended).toBe(0)
  const verified = await postern(well, ['audit', 'verify'])
  expect(verified.status).toBe(0)
  const searched = await postern(well, ['audit', 'search', '--kind', 'admin', '--json'])
  expect(searched.out).toContain('audit_search')
  const seen = [gate.log(), JSON.stringify(status), metrics, shown.out, everything(well.folder)]
  expect(seen.join('\n')).not.toContain(canary)
})

test('without a usable bundle the gate listens, refuses, says why, and goes on once there is one', async () => {
  const waiting = await home((config) => config.replace(/source: \S+/, 'source: ./policy.tar.gz'))
  const source = join(waiting.folder, 'policy.tar.gz')
  writeFileSync(source, 'no bundle')
  const gate = await serving(waiting)
  const answer = await json(`${gate.url}/ready`)
  expect(answer).toMatchObject({ status: 503, ready: false })
  expect(String(answer['reasons'])).toContain('no policy bundle is active')
  expect((await json(`${gate.url}/health`))['status']).toBe(200)
  expect(await knock(gate.port, await waiting.token('ada', ['engineers']))).toContain('57P03')
  copyFileSync(demoBundle, source)
  expect(await readiness(gate.url)).toBe('ready')
})

test('a restart does not make an old bundle look fresh', async () => {
  const dead = 'http://127.0.0.1:1/policy.tar.gz'
  const aged = await home((config) =>
    config.replace(/source: \S+/, `source: ${demoBundle}\n  max_stale_s: 3600`),
  )
  const first = await serving(aged)
  expect(await readiness(first.url)).toBe('ready')
  first.child.kill('SIGTERM')
  await first.ended
  const memory = join(aged.folder, 'state/bundles/postern.json')
  writeFileSync(
    memory,
    readFileSync(memory, 'utf8').replace(/"refreshed_ms":\d+/, '"refreshed_ms":1000'),
  )
  const file = join(aged.folder, 'postern.yaml')
  writeFileSync(file, readFileSync(file, 'utf8').replace(demoBundle, dead))
  const second = await serving(aged)
  expect(await readiness(second.url)).toContain('stale')
  expect(await knock(second.port, await aged.token('ada', ['engineers']))).toContain('57P03')
})

test('a listener that cannot bind stops the start with one sentence', async () => {
  const taken = createServer()
  onTestFinished(() => void taken.close())
  await once(taken.listen(0, '127.0.0.1'), 'listening')
  const { port } = taken.address() as AddressInfo
  const blocked = await home((config) =>
    config.replace('listen: 127.0.0.1:0\n    plain', `listen: 127.0.0.1:${port}\n    plain`),
  )
  const { status, err } = await postern(blocked, ['serve'])
  expect(status).toBe(1)
  expect(err).toBe(
    `postern serve: listener shop cannot listen on 127.0.0.1:${port}: something else listens there\n`,
  )
})

test('two gates do not share a state', async () => {
  const shared = await home()
  await serving(shared)
  const { status, err } = await postern(shared, ['serve'])
  expect(status).toBe(1)
  expect(err).toMatch(/^postern serve: .+\n$/)
})

test('a second signal does not wait for anybody', async () => {
  const gate = await serving(await home())
  const client = connect(gate.port, '127.0.0.1')
  client.on('error', () => undefined)
  await once(client, 'connect')
  gate.child.kill('SIGINT')
  for await (const _chunk of gate.child.stdout ?? []) if (gate.log().includes('stopping')) break
  gate.child.kill('SIGTERM')
  expect(await gate.ended).toBe(130)
})

test('decide answers a question from a file, with reasons', async () => {
  const asker = await home()
  const { about } = questions(
    subject('ada', ['engineers']),
    { id: 'shop', protocol: 'postgres', labels: { env: 'production' } },
    {
      peer: '127.0.0.1',
      tls: true,
      database: 'shop',
      user: 'ada',
      application: 'psql',
      grants: [],
      capabilities: [],
    },
  )
  const question = about('command', {
    name: 'drop',
    effects: ['define'],
    objects: [{ kind: 'table', name: 'public.customers', access: 'write' }],
    text: 'drop table customers',
  })
  writeFileSync(join(asker.folder, 'input.json'), JSON.stringify(question))
  const byConfig = await postern(asker, ['decide', '--input', 'input.json'])
  expect(byConfig).toMatchObject({ status: 0, err: '' })
  expect(byConfig.out).toMatch(/^effect {3}deny\nbecause .+\(production_schema, \w+\)$/m)
  const args = ['--bundle', demoBundle, '--key', demoKey, '--key-id', 'demo', '--demo']
  const byBundle = await postern(asker, ['decide', ...args, '--input', 'input.json', '--json'])
  expect(JSON.parse(byBundle.out)).toMatchObject({ decision: { effect: 'deny' } })
  writeFileSync(join(asker.folder, 'odd.json'), '[1]')
  const odd = await postern(asker, ['decide', '--input', 'odd.json'])
  expect(odd.out).toMatch(/^effect {3}deny/)
})

/** What a PostgreSQL client reads when it logs in with this token. */
function knock(port: number, token: string): Promise<string> {
  const startup = Buffer.from('\0\0\0\0\0\x03\0\0user\0ada\0database\0shop\0\0', 'latin1')
  startup.writeInt32BE(startup.length)
  const password = Buffer.from(`p\0\0\0\0${token}\0`, 'latin1')
  password.writeInt32BE(password.length - 1, 1)
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(startup))
    let text = ''
    socket.once('data', () => socket.write(password))
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(text))
  })
}
