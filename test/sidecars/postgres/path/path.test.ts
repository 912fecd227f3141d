import { describe, expect, test } from 'vitest'
import {
  begun,
  after as changed,
  failed,
  type Path,
  settled,
} from '../../../../sidecars/postgres/path/path.ts'
import { tracker } from '../../../../sidecars/postgres/path/tracker.ts'
import { namesIn, type PathChange } from '../../../../sidecars/postgres/read/path.ts'

describe('the text of the setting', () => {
  test.each([
    ['', []],
    ['  ', []],
    ['a', ['a']],
    ['A,b', ['a', 'b']],
    [' "A" , b\t', ['A', 'b']],
    ['"$user", public', ['$user', 'public']],
    ['$User', ['$user']],
    ['"a""b", "c, d"', ['a"b', 'c, d']],
    ['""', ['']],
    ['a"b', ['a"b']],
    ['x'.repeat(63), ['x'.repeat(63)]],
    ['x'.repeat(64), undefined],
    ['a,', undefined],
    [',a', undefined],
    ['a b', undefined],
    ['"a', undefined],
    ['"a"b', undefined],
    ['ä', undefined],
    ['a\vb', undefined],
  ])('%j is %j', (text, names) => {
    expect(namesIn(text)).toEqual(names)
  })
})

const set = (name: string, local = false): PathChange => ({ kind: 'set', names: [name], local })
const reset: PathChange = { kind: 'set', names: undefined, local: false }
const begin: PathChange = { kind: 'begin' }
const commit: PathChange = { kind: 'commit', chain: false }
const rollback: PathChange = { kind: 'rollback', chain: false }
const save = (name: string): PathChange => ({ kind: 'savepoint', name })
const release = (name: string): PathChange => ({ kind: 'release', name })
const back = (name: string): PathChange => ({ kind: 'rollback_to', name })

type Step = PathChange | 'error' | 'I' | 'T' | 'E'

function walked(steps: readonly Step[]): Path {
  return steps.reduce<Path>(
    (path, step) => {
      if (step === 'error') return failed(path)
      return typeof step === 'string' ? settled(path, step) : changed(path, step)
    },
    begun(['start'], ['now']),
  )
}

describe('what a transaction makes of it', () => {
  const cases: readonly (readonly [string, readonly Step[], string])[] = [
    ['nothing', [], 'now'],
    ['SET', [set('a')], 'a'],
    ['SET, and the server is ready', [set('a'), 'I'], 'a'],
    ['SET and an error behind it in one text', [set('a'), 'error', 'I'], 'now'],
    ['SET LOCAL alone', [set('a', true), 'I'], 'now'],
    ['RESET', [set('a'), 'I', reset], 'start'],
    ['RESET undone', [set('a'), 'I', begin, reset, rollback], 'a'],
    ['SET and ROLLBACK', [begin, 'T', set('a'), 'T', rollback, 'I'], 'now'],
    ['SET, BEGIN and ROLLBACK in one text', [set('a'), begin, rollback], 'now'],
    ['SET LOCAL over SET, committed', [begin, set('a'), set('b', true), commit], 'a'],
    ['SET over SET LOCAL, committed', [begin, set('b', true), set('a'), commit], 'a'],
    ['COMMIT AND CHAIN', [begin, set('a'), { kind: 'commit', chain: true }, rollback], 'a'],
    ['COMMIT after an error', [begin, set('a'), 'error', 'E', commit], 'now'],
    ['ROLLBACK TO', [begin, save('s'), set('a'), back('s')], 'now'],
    [
      'ROLLBACK TO twice',
      [begin, set('a'), save('s'), set('b'), back('s'), set('c'), back('s')],
      'a',
    ],
    [
      'ROLLBACK TO after an error',
      [begin, set('a'), save('s'), set('b'), 'error', 'E', back('s'), 'T'],
      'a',
    ],
    [
      'ROLLBACK TO, then COMMIT',
      [begin, set('a'), save('s'), set('b'), back('s'), commit, 'I'],
      'a',
    ],
    ['RELEASE keeps SET', [begin, save('s'), set('a'), release('s'), commit], 'a'],
    ['RELEASE keeps SET LOCAL', [begin, save('s'), set('a', true), release('s')], 'a'],
    [
      'the inner of two of one name',
      [begin, save('s'), set('a'), save('s'), set('b'), back('s')],
      'a',
    ],
    [
      'the outer of two of one name',
      [begin, save('s'), set('a'), save('s'), release('s'), back('s')],
      'now',
    ],
    [
      'two of one name at once',
      [begin, save('s'), save('s'), set('a'), release('s'), back('s')],
      'now',
    ],
    [
      'RELEASE takes the inner ones along',
      [begin, save('s'), save('t'), set('a'), release('s'), commit],
      'a',
    ],
    ['DISCARD ALL', [set('a'), 'I', { kind: 'discard' }], 'start'],
  ]
  test.each(cases)('%s', (_, steps, now) => {
    const path = walked(steps)
    expect(path.current).toEqual([now])
    expect(path.lost).toBe(false)
  })

  test('it is lost once a savepoint is named that was not seen', () => {
    expect(walked([begin, back('s')]).lost).toBe(true)
  })

  test('it is lost when a transaction may have ended in the middle', () => {
    expect(walked([set('a', true), { kind: 'may_commit' }]).lost).toBe(true)
    expect(walked([{ kind: 'may_commit' }]).lost).toBe(false)
    expect(walked([begin, set('a', true), { kind: 'may_commit' }]).lost).toBe(false)
  })

  test('savepoints without end are no matter as long as nothing is set between them', () => {
    let path = walked([begin])
    for (let i = 0; i < 30_000; i += 1) path = changed(path, save('s'))
    expect(path.savepoints).toHaveLength(1)
    expect(path.lost).toBe(false)
  })

  test('savepoints without end lose it when they differ', () => {
    let path = walked([begin])
    for (let i = 0; i < 10_001; i += 1) path = changed(path, save(`s${i}`))
    expect(path.lost).toBe(true)
  })
})

const here = () =>
  tracker({ user: 'ada', start: ['$user', 'public'], current: ['$user', 'public'] })
const never = (): boolean => false

describe('what is sent and not yet answered', () => {
  test('counts in its own batch, and keeps the next one waiting', () => {
    const path = here()
    const one = path.propose(set('a'), 1)
    expect(path.now(1, never)).toMatchObject({ current: ['a'] })
    expect(path.now(2, never)).toBe('unsettled')
    one.settle()
    expect(path.now(2, () => true)).toBe('unsettled')
    path.ready('I')
    expect(path.now(2, () => true)).toMatchObject({ current: ['a'] })
  })

  test('comes to nothing when it fails', () => {
    const path = here()
    const one = path.propose(set('a'), 1)
    path.failed()
    one.drop()
    path.ready('I')
    expect(path.now(2, never)).toMatchObject({ current: ['$user', 'public'] })
  })

  test('transactions in which nothing was set keep nobody waiting', () => {
    const path = here()
    path.propose(begin, 1)
    path.propose(commit, 2)
    expect(path.now(3, () => true)).toMatchObject({ current: ['$user', 'public'] })
  })

  test('who comes behind a savepoint that nobody saw waits for what comes of it', () => {
    const path = here()
    const proposed = path.propose(back('s'), 1)
    expect(path.now(2, () => true)).toBe('unsettled')
    expect([path.isLost(1), path.isLost(2)]).toEqual([true, false])
    proposed.drop()
    expect(path.now(2, () => true)).toMatchObject({ lost: false })
    path.propose(back('s'), 2).settle()
    expect(path.isLost(3)).toBe(true)
  })

  test('what the server announces has to be what was followed', () => {
    const path = here()
    path.propose(set('a'), 1).settle()
    path.announced('a')
    path.ready('I')
    expect(path.isLost(1)).toBe(false)
    path.announced('b')
    path.ready('I')
    expect(path.isLost(1)).toBe(true)
  })
})

test.each([
  [['$user', 'public'], ['public']],
  [
    ['$user', 'public', 'ada'],
    ['ada', 'public'],
    ['ada', 'public'],
  ],
  [['closed', 'public', 'pg_temp', 'public'], ['public']],
  [[], []],
])('%j stands for %j', (names, schemas, usable = ['public']) => {
  expect(here().schemas(names, new Set(usable))).toEqual(schemas)
})
