import { describe, expect, test } from 'vitest'
import { kept, weight } from '../../../sidecars/postgres/kept.ts'

const max = 100_000

describe('what is kept', () => {
  test('never weighs more than allowed, whatever is put in', () => {
    const cache = kept<number>(max)
    let most = 0
    for (let index = 0; index < 5_000; index += 1) {
      cache.set(`key ${index % 700}`, index, (index * 37) % 3_000)
      cache.get(`key ${(index * 13) % 700}`)
      most = Math.max(most, cache.bytes)
      expect(cache.bytes).toBeGreaterThanOrEqual(0)
    }
    expect(most).toBeLessThanOrEqual(max)
    expect(most).toBeGreaterThan(max / 4)
  })

  test('is what was used last', () => {
    const cache = kept<string>(max)
    for (let index = 0; index < 1_000; index += 1) {
      cache.set(`key ${index}`, 'once', 1_000)
      if (index === 0) cache.set('often', 'used', 1_000)
      expect(cache.get('often')).toBe('used')
    }
    expect(cache.get('key 0')).toBeUndefined()
    expect(cache.get('key 999')).toBe('once')
  })

  test('is the newest value of a key, weighed once', () => {
    const cache = kept<number>(max)
    for (let index = 0; index < 1_000; index += 1) cache.set('key', index, 1_000)
    expect(cache.get('key')).toBe(999)
    expect(cache.bytes).toBeLessThan(2_000)
  })

  test('counts long keys', () => {
    const cache = kept<number>(max)
    for (let index = 0; index < 100; index += 1) cache.set(`${'x'.repeat(10_000)}${index}`, 1, 0)
    expect(cache.bytes).toBeGreaterThan(20_000)
    expect(cache.bytes).toBeLessThanOrEqual(max)
    expect(cache.get(`${'x'.repeat(10_000)}0`)).toBeUndefined()
  })

  test('is nothing that alone would fill it', () => {
    const cache = kept<string>(max)
    cache.set('small', 'here', 10)
    cache.set('large', 'here', max)
    expect(cache.get('large')).toBeUndefined()
    expect(cache.get('small')).toBe('here')
  })
})

test.each([
  ['a string', 'x'.repeat(1_000), 2_000],
  ['a list', Array.from({ length: 100 }, () => 'name'), 3_200],
  ['an object', { sources: ['public.customers.email'], exact: true }, 100],
])('%s weighs at least what it holds', (_, value, bytes) => {
  expect(weight(value)).toBeGreaterThanOrEqual(bytes)
})
