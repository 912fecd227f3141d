import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Summary } from '../../../pdp/authoring/testing.ts'
import type { Tried } from '../../../pdp/authoring/trial.ts'
import { type Finished, postern, project, scratch } from './kit.ts'

const slowMs = 60_000
const endings = join(project, 'test/pdp/authoring/endings')

type Found = Summary & { readonly tests: readonly Tried[] }

test(
  'the tests of our own policies end on WASM as with opa',
  async () => {
    const done = await postern('test', 'rego', '--json')
    expect(done.stderr).toBe('')
    const { tests, ...found } = JSON.parse(done.stdout) as Found
    expect(tests.filter(({ ending }) => ending !== 'pass')).toEqual([])
    expect(found).toMatchObject({ ok: true, disagrees: 0, untried: 0 })
    expect(found.pass).toBe(found.total)
    expect(found.total).toBeGreaterThan(200)
    expect(done.status).toBe(0)
  },
  slowMs,
)

describe('every way a test can end', () => {
  let printed: Finished
  let found: Found
  beforeAll(async () => {
    printed = await postern('test', endings)
    found = JSON.parse((await postern('test', endings, '--json')).stdout) as Found
  }, slowMs)

  test.each([
    ['test_passes', 'pass', 'pass'],
    ['test_fails', 'fail', 'fail'],
    ['test_a_builtin_is_mocked', 'pass', 'pass'],
    ['test_a_function_is_mocked', 'pass', 'pass'],
    ['test_errs', 'error', 'error'],
    ['todo_test_later', 'skipped', 'skipped'],
    ['test_twice', 'pass', 'pass'],
    ['test_twice#01', 'fail', 'fail'],
    ['test_needs_what_gates_lack', 'untried', 'fail'],
    ['test_mocks_what_gates_lack', 'pass', 'pass'],
    ['test_is_false', 'fail', 'fail'],
    ['test_is_no_boolean', 'fail', 'fail'],
    ['test_cases', 'fail', 'fail'],
    ['test_has_no_input', 'pass', 'pass'],
    ['test_prints', 'fail', 'fail'],
    ['inner.test_below', 'pass', 'pass'],
    ['test_divides_by_nothing', 'fail', 'fail'],
    ['test_rests_on_a_failing_builtin', 'error', 'pass'],
  ])('%s: %s, and %s with opa', (name, ending, opa) => {
    const one = found.tests.find((each) => each.name === name)
    expect(one).toMatchObject({ ending, opa })
    const compared = ending !== 'untried'
    expect(one?.disagrees).toBe(compared && ending !== opa)
  })

  test('none is left out', () => {
    expect(found).toMatchObject({ total: 18, disagrees: 1, untried: 1, skipped: 1, ok: false })
  })

  test('it reads as opa test reads', () => {
    expect(printed.status).toBe(1)
    expect(printed.stdout).toMatch(
      /^shop_test\.rego:7:\ndata\.tests\["of the shop"\]\.test_fails: FAIL \([\d.]+µs\)$/m,
    )
    expect(printed.stdout).toContain('  even: PASS\n  odd: FAIL\n')
    expect(printed.stdout).toContain('  printed: the total is 6\n')
    expect(printed.stdout).toContain('calls http.send, which this gate does not provide')
    expect(printed.stdout).toContain('opa takes that for undefined, a gate denies')
    expect(printed.stdout).toContain('PASS: 7/18\nFAIL: 7/18\nERROR: 2/18\nSKIPPED: 1/18\n')
    expect(printed.stdout).toContain('NOT ON WASM: 1/18\nDISAGREES WITH OPA: 1/18\n')
    expect(printed.stdout).not.toContain('test_passes')
  })
})

test(
  'some tests can be chosen, and those that pass be shown',
  async () => {
    const done = await postern('test', endings, '--run', 'mocked$', '--verbose')
    expect(done.stdout).toMatch(/test_a_builtin_is_mocked: PASS \([\d.]+.s\)\n/)
    expect(done.stdout).toMatch(/\nPASS: 2\/2\n$/)
    expect(done.status).toBe(0)
  },
  slowMs,
)

test(
  'policies that do not compile, and folders without tests, are no success',
  async () => {
    const folder = scratch()
    const empty = await postern('test', folder)
    expect(empty).toMatchObject({ status: 1, stdout: '' })
    expect(empty.stderr).toContain('has no test')
    mkdirSync(join(folder, 'policies'))
    writeFileSync(join(folder, 'policies/x_test.rego'), 'package x\n\ntest_a if nobody(1)\n')
    const broken = await postern('test', folder)
    expect(broken.status).toBe(1)
    expect(broken.stderr).toContain('policies/x_test.rego:3: rego_type_error: undefined function')
    expect((await postern('test', '/nowhere')).stderr).toContain('there is no folder /nowhere')
    const other = await postern('test', folder, '--opa', '/nowhere/opa')
    expect(other.stderr).toContain('/nowhere/opa was not found')
    expect((await postern('test', 'one', 'two')).status).toBe(2)
  },
  slowMs,
)
