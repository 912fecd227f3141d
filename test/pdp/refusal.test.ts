import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { codes } from '../../pdp/refusal.ts'
import { statuses } from '../../pdp/server/problem.ts'
import { sqlstate } from '../../sidecars/postgres/sqlstate.ts'

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
const rows = [...page.matchAll(/^\| `(\w+)` \| (.+?) \| .+? \| (\w{5}) \| (\d{3}) \| (.+) \|$/gm)]
const documented = new Map(
  rows.map(([, code, meaning, state, status, remedy]) => [
    code,
    { meaning, state, status, remedy },
  ]),
)

test('docs/errors.md lists every code and no other', () => {
  expect([...documented.keys()].sort()).toEqual(Object.keys(codes).sort())
  expect(rows).toHaveLength(documented.size)
})

test.each(Object.entries(codes))(
  'docs/errors.md says of %s what the gate says',
  (code, meaning) => {
    expect(documented.get(code)).toEqual({
      meaning,
      state: Reflect.get(sqlstate, code),
      status: String(Reflect.get(statuses, code)),
      remedy: expect.stringMatching(/\.$/),
    })
  },
)
