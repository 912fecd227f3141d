import { expect, test } from 'vitest'
import { type Log, log } from '../../pdp/log.ts'
import type { Happening } from '../../pdp/parts.ts'

const canary = 'cnry-4111111111111111'

function sink(level: Parameters<typeof log>[0]): { log: Log; text(): string; lines(): unknown[] } {
  const written: string[] = []
  return {
    log: log(level, { write: (line: string) => void written.push(line) }),
    text: () => written.join(''),
    lines: () => written.map((line) => JSON.parse(line)),
  }
}

const phrase =
  /^(decision|outcome|session (opened|closed)|client turned away|internal failure|hold|bundle \w+)$/

/** What a careless caller might pass: the type of a happening, with more in it than the type says. */
function careless(happening: Happening): Happening {
  return Object.assign(happening, { text: canary, statement: canary, row: [canary], token: canary })
}

const happenings: readonly Happening[] = [
  {
    kind: 'decision',
    resource: 'shop',
    session: 's1',
    effect: 'deny',
    rule: 'policies.ddl',
    code: 'denied',
    cached: false,
    ns: 12_000,
  },
  { kind: 'outcome', resource: 'shop', session: 's1', rows: 3, bytes: 90, ms: 1.5, error: '42501' },
  { kind: 'session', change: 'opened', resource: 'shop', session: 's1' },
  { kind: 'session', change: 'turned_away', resource: 'shop', code: 'token_invalid' },
  {
    kind: 'failure',
    resource: 'shop',
    session: 's1',
    code: 'internal_error',
    error: Error(canary),
  },
  { kind: 'hold', change: 'pending', resource: 'shop', id: 'h1' },
  { kind: 'bundle', change: 'refused', name: 'shop', message: 'the signature is not valid' },
]

test.each(happenings)('a $kind is logged field by field and nothing else of it', (happening) => {
  const { log, text, lines } = sink('trace')
  log.observe(careless({ ...happening }))
  expect(lines()).toHaveLength(1)
  expect(text()).not.toContain(canary)
  expect(lines()).toMatchObject([{ message: expect.stringMatching(phrase) }])
})

test('what goes wrong inside is logged by kind and place, without its message', () => {
  const { log, text, lines } = sink('trace')
  const parsing = thrown(() => JSON.parse(`select ${canary}`))
  const forged = new Error(`first\n    at ${canary} (/${canary}:1:1)`, { cause: parsing })
  const error = Object.assign(forged, { code: 'ECONNRESET', syscall: `read ${canary}` })
  log.observe({ kind: 'session', change: 'closed', resource: 'shop', session: 's1', error })
  log.error('start failed', {}, error)
  expect(text()).not.toContain(canary)
  expect(lines()[0]).toMatchObject({
    level: 'error',
    message: 'session closed',
    session: 's1',
    problem: {
      kind: 'Error',
      code: 'ECONNRESET',
      at: expect.arrayContaining([expect.stringContaining('log.test.ts')]),
      cause: { kind: 'SyntaxError' },
    },
  })
})

test('fields named like secrets are censored', () => {
  const { log, text } = sink('info')
  log.info('careless', { token: canary, secret: canary, password: canary, authorization: canary })
  expect(text()).not.toContain(canary)
  expect(text()).toContain('[secret]')
})

test('at the usual level a statement leaves no line', () => {
  const { log, lines } = sink('info')
  for (const happening of happenings.slice(0, 2)) log.observe(happening)
  expect(lines()).toEqual([])
})

test.each([
  [{ kind: 'session', change: 'opened', resource: 'shop', session: 's1' }, 'info'],
  [{ kind: 'session', change: 'turned_away', resource: 'shop', code: 'token_expired' }, 'warn'],
  [{ kind: 'bundle', change: 'activated', name: 'shop', revision: 'r1' }, 'info'],
  [{ kind: 'bundle', change: 'activated', name: 'shop', message: 'not kept on disk' }, 'warn'],
  [{ kind: 'bundle', change: 'refused', name: 'shop', message: 'expired' }, 'error'],
  [{ kind: 'bundle', change: 'unreachable', name: 'shop', message: 'timeout' }, 'warn'],
] as const)('%o is a line of level %s', (happening, level) => {
  const { log, lines } = sink('info')
  log.observe(happening)
  expect(lines()).toMatchObject([{ level }])
})

function thrown(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
