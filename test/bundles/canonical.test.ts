import { expect, test } from 'vitest'
import { canonicalJson, utf8 } from '../../bundles/canonical.ts'

test.each([
  ['numbers stay as written', '[1.0, 1e5, -0, 1E+2, 1e400]', '[1.0,1e5,-0,1E+2,1e400]'],
  ['also thirty digits', '123456789012345678901234567890', '123456789012345678901234567890'],
  [
    'keys sort by UTF-8 bytes',
    '{"\\ud83d\\ude00":1,"\\uffee":2,"a":3}',
    '{"a":3,"\uffee":2,"😀":1}',
  ],
  ['number-like keys are sorted as text', '{"10":1,"9":2}', '{"10":1,"9":2}'],
  ['of equal keys the last wins', '{"a":1,"a":2.50}', '{"a":2.50}'],
  ['the last wins also where kinds differ', '{"a":{"b":1},"a":7.0}', '{"a":7.0}'],
  ['a key may be __proto__', '{"__proto__":{"b":1},"a":2}', '{"__proto__":{"b":1},"a":2}'],
  ['short escapes', '"\\u0008\\u000c\\u000a\\u000d\\u0009"', '"\\b\\f\\n\\r\\t"'],
  ['other controls', '"\\u0001\\u001F\\u007f"', '"\\u0001\\u001f\u007f"'],
  ['line separators', '"\\u2028\u2029"', '"\\u2028\\u2029"'],
  ['no HTML escapes', '"<>&\\/\'"', '"<>&/\'"'],
  ['quotes and backslashes', '"\\"\\\\"', '"\\"\\\\"'],
  ['empty things', ' { "a" : [ ] , "b" : { } , "c": "" } ', '{"a":[],"b":{},"c":""}'],
  ['words', '[true,false,null]', '[true,false,null]'],
])('%s', (_what, text, canonical) => {
  expect(canonicalJson(text)).toBe(canonical)
})

test.each([
  ['trailing text', '{} x'],
  ['a comment', '{} // x'],
  ['a leading zero', '[01]'],
  ['a lone surrogate', '["\\ud800"]'],
  ['a lone surrogate in a key', '{"\\udc00":1}'],
  ['a byte order mark', '\ufeff{}'],
  ['nothing', ''],
])('%s is refused', (_what, text) => {
  expect(() => canonicalJson(text)).toThrow()
})

test('very deep nesting ends in an answer or an error, not in a crash', () => {
  const deep = '['.repeat(200_000) + ']'.repeat(200_000)
  const outcome = (() => {
    try {
      return canonicalJson(deep).length
    } catch (error) {
      return error instanceof Error
    }
  })()
  expect([deep.length, true]).toContain(outcome)
})

test('bytes that are not UTF-8 are refused', () => {
  expect(() => utf8(Buffer.from([0x22, 0xff, 0x22]))).toThrow()
})
