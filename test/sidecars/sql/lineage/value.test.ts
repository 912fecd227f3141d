import { describe, expect, test } from 'vitest'
import {
  alsoFrom,
  alsoNamed,
  anything,
  arrayOf,
  computed,
  copyOf,
  either,
  fieldOf,
  isNothing,
  nothing,
  rowOf,
  typed,
  type Value,
} from '../../../../sidecars/sql/lineage/value.ts'

const a = copyOf(['t.a'])
const b = copyOf(['t.b'])
const said = (value: Value) =>
  `${value.unknown ? '?' : ''}${value.copy ? '=' : '~'}${[...value.sources].sort().join('+')}`

describe('a value', () => {
  test.each<[string, Value, string]>([
    ["of nothing is nobody's", computed(), '='],
    ["of constants is nobody's", computed(nothing, nothing), '='],
    ['of one column is not the column', computed(a), '~t.a'],
    ['of two columns is of both', computed(a, nothing, b), '~t.a+t.b'],
    ['of what is unknown is unknown', computed(a, anything), '?~t.a'],
    ['that is one or a constant is the one', either(nothing, a), '=t.a'],
    ['that is the same either way is that', either(a, copyOf(['t.a'])), '=t.a'],
    ['that is one of two is no copy', either(a, b), '~t.a+t.b'],
    ['that is a column or unknown is unknown', either(a, anything), '?~t.a'],
    ['into which more went is no copy', alsoFrom(a, b), '~t.a+t.b'],
    ['into which a constant went is the same', alsoFrom(a, nothing), '=t.a'],
    ['under another name has both', alsoNamed(a, 'v.x'), '=t.a+v.x'],
  ])('%s', (_, value, expected) => expect(said(value)).toBe(expected))

  test('of a type loses it when it may be another', () => {
    expect(either(typed(a, 25), typed(nothing, 23)).type).toBeUndefined()
  })
})

describe('rows and arrays', () => {
  const row = rowOf([
    { name: 'x', value: a },
    { name: 'y', value: b },
  ])

  test('keep their parts apart', () => {
    expect(said(row)).toBe('~t.a+t.b')
    expect(said(fieldOf(row, 'x') ?? nothing)).toBe('=t.a')
    expect(fieldOf(row, 'z')).toBeUndefined()
  })

  test('of one shape are either by position', () => {
    const other = rowOf([
      { name: 'p', value: b },
      { name: 'q', value: nothing },
    ])
    const both = either(row, other)
    expect(both.fields?.map(({ name, value }) => name + said(value))).toEqual([
      'x~t.a+t.b',
      'y=t.b',
    ])
  })

  test('of different shapes have no parts', () => {
    const other = rowOf([{ name: 'p', value: b }])
    expect(either(row, other).fields).toBeUndefined()
  })

  test('take what goes into all of them into each part', () => {
    const value = alsoFrom(row, copyOf(['t.c']))
    expect(value.fields?.map((one) => said(one.value))).toEqual(['~t.a+t.c', '~t.b+t.c'])
  })

  test('hold any of their elements', () => {
    const array = arrayOf(a, b)
    expect(said(array)).toBe('~t.a+t.b')
    expect(said(array.element ?? nothing)).toBe('~t.a+t.b')
    expect(said(arrayOf(a).element ?? nothing)).toBe('=t.a')
  })

  test('are not followed without end', () => {
    let deep = row
    for (let i = 0; i < 50; i += 1) {
      deep = rowOf([
        { name: 'l', value: deep },
        { name: 'r', value: either(deep, rowOf([{ name: 'x', value: a }])) },
      ])
    }
    expect(said(deep)).toBe('~t.a+t.b')
    expect(deep.depth).toBeLessThan(10)
  })

  test("of constants are nobody's, but have parts", () => {
    const empty = rowOf([{ name: 'x', value: nothing }])
    expect(isNothing(empty)).toBe(false)
    expect(said(empty)).toBe('=')
  })
})

test('more sources than anybody mixes are refused', () => {
  const names = Array.from({ length: 20_001 }, (_, i) => `t.c${i}`)
  expect(() => computed(a, copyOf(names))).toThrow(RangeError)
})
