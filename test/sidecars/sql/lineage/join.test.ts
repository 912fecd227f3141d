import { describe, expect, test } from 'vitest'
import { aliased, common, join, renamed } from '../../../../sidecars/sql/lineage/join.ts'
import {
  columnsNamed,
  type Item,
  itemOf,
  type Scope,
  sourceNamed,
  variableNamed,
} from '../../../../sidecars/sql/lineage/scope.ts'
import { anything, copyOf, nothing } from '../../../../sidecars/sql/lineage/value.ts'

const item = (alias: string, ...names: readonly string[]): Item =>
  itemOf({ alias, columns: names.map((name) => ({ name, value: copyOf([`${alias}.${name}`]) })) })
const told = (one: Item) =>
  one.columns.map(({ name, value }) => `${name}: ${[...value.sources].join('+')}`)
const scope = (items: readonly Item[], outer?: Scope): Scope => ({ items, outer })

describe('joins', () => {
  const left = item('l', 'a', 'b')
  const right = item('r', 'b', 'c')

  test('put columns side by side', () => {
    expect(told(join(left, right, { using: [] }))).toEqual(['a: l.a', 'b: l.b', 'b: r.b', 'c: r.c'])
  })

  test('merge what USING names, first', () => {
    const both = join(left, right, { using: ['b'], usingAlias: 'j' })
    expect(told(both)).toEqual(['b: l.b+r.b', 'a: l.a', 'c: r.c'])
    expect(both.sources.map((one) => one.alias)).toEqual(['l', 'r', 'j'])
    expect(both.merged.map((one) => one.name)).toEqual(['b'])
  })

  test('say what a side does not have', () => {
    expect(join(left, right, { using: ['a', 'b'] }).missing).toEqual(['a'])
  })

  test('merge all that both have when they are natural', () => {
    expect(common(left, right)).toEqual(['b'])
  })

  test('under an alias hide what they are made of', () => {
    const hidden = aliased(join(left, right, { using: [] }), 'j', ['x'])
    expect(told(hidden)).toEqual(['x: l.a', 'b: l.b', 'b: r.b', 'c: r.c'])
    expect(hidden.sources.map((one) => one.alias)).toEqual(['j'])
  })

  test('keep names that a shorter list does not give', () => {
    expect(renamed([{ name: 'a' }, { name: 'b' }], ['x'])).toEqual([{ name: 'x' }, { name: 'b' }])
  })
})

describe('names', () => {
  const outer = scope([item('o', 'a', 'z')])
  const inner = scope([item('i', 'a', 'b'), item('k', 'b')], outer)
  const found = (from: Scope, name: string) =>
    columnsNamed(from, name).columns.flatMap(({ value }) => [...value.sources])

  test.each([
    ['a', ['i.a']],
    ['b', ['i.b', 'k.b']],
    ['z', ['o.z']],
    ['q', []],
  ])('%s means %j', (name, expected) => expect(found(inner, name)).toEqual(expected))

  test('of many columns are found the same way', () => {
    const wide = scope([item('w', ...Array.from({ length: 100 }, (_, i) => `c${i % 50}`))])
    expect(found(wide, 'c7')).toEqual(['w.c7', 'w.c7'])
  })

  test('may mean what is nearer and not known', () => {
    const open = scope([itemOf({ alias: 'f', columns: [], open: anything })], outer)
    expect(columnsNamed(open, 'z')).toMatchObject({ open: [anything] })
    expect(found(open, 'z')).toEqual(['o.z'])
  })

  test('of sources are looked for outwards, with their schema where one is given', () => {
    const qualified = scope([itemOf({ alias: 't', schema: 's', columns: [] })], outer)
    expect(sourceNamed(qualified, 't', 's')?.alias).toBe('t')
    expect(sourceNamed(qualified, 't', 'x')).toBeUndefined()
    expect(sourceNamed(qualified, 'o')?.alias).toBe('o')
  })

  test('may be variables further out', () => {
    const body: Scope = {
      items: [],
      outer: undefined,
      variables: ([name]) => (name === 'v' ? nothing : undefined),
    }
    expect(variableNamed(scope([item('i', 'a')], body), ['v'])).toBe(nothing)
    expect(variableNamed(scope([], body), ['w'])).toBeUndefined()
  })
})
