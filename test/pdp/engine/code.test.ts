import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../pdp/engine/code.ts'

describe('what a bundle says of code', () => {
  test('is kept by resource and signature', () => {
    const written = {
      'public.f(text, integer)': { reads: ['public.t.a'], returns: 'nothing' },
      'a b.g()': { reads: [], returns: ['s.t.c'], writes: ['s.t'], effects: ['delete'] },
    }
    const said = codeOf({ code: { shop: { functions: written, declassify: ['public.v'] } } })
    expect(said.get('shop')).toEqual({
      functions: new Map([
        ['public.f(text, integer)', { reads: ['public.t.a'], returns: [] }],
        ['a b.g()', { reads: [], returns: ['s.t.c'], writes: ['s.t'], effects: ['delete'] }],
      ]),
      declassify: new Set(['public.v']),
    })
    expect(said.get('other')).toBeUndefined()
  })

  test.each([[undefined], [{}], [{ code: {} }]])('may be nothing: %j', (data) => {
    expect(codeOf(data).size).toBe(0)
  })

  const f = { reads: [], returns: [] }
  test.each<[string, unknown]>([
    ['data.code.shop.declassify.0', { shop: { declassify: ['v'] } }],
    ['data.code.shop.functions.f()', { shop: { functions: { 'f()': f } } }],
    ['data.code.shop.functions.a.f', { shop: { functions: { 'a.f': f } } }],
    ['data.code.shop.functions.a.f().reads', { shop: { functions: { 'a.f()': { returns: [] } } } }],
    [
      'data.code.shop.functions.a.f().reads.0',
      { shop: { functions: { 'a.f()': { ...f, reads: ['t.c'] } } } },
    ],
    [
      'data.code.shop.functions.a.f().effects.0',
      { shop: { functions: { 'a.f()': { ...f, effects: ['unknown'] } } } },
    ],
    ['data.code.shop.functions.a.f()', { shop: { functions: { 'a.f()': { ...f, write: [] } } } }],
    ['data.code.shop', { shop: { function: {} } }],
    ['data.code', []],
  ])('is refused by the name of its field: %s', (field, code) => {
    expect(() => codeOf({ code })).toThrow(`${field}: `)
  })
})
