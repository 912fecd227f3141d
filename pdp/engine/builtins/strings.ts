import { isArray, isSet, type Value } from '../value.ts'
import { type Builtins, pure, small, string } from './operands.ts'

/** `strings.*`, `indexof_n` and `glob.quote_meta`. */
export const strings: Builtins = {
  'strings.any_prefix_match': pure((texts, prefixes) =>
    anyOf(texts, prefixes, (text, prefix) => text.startsWith(prefix)),
  ),
  'strings.any_suffix_match': pure((texts, suffixes) =>
    anyOf(texts, suffixes, (text, suffix) => text.endsWith(suffix)),
  ),
  'strings.count': pure((text, part) => {
    const [within, search] = [string(text), string(part)]
    return search === '' ? [...within].length + 1 : within.split(search).length - 1
  }),
  'strings.split_n': pure((text, delimiter, count) => {
    const [within, mark, most] = [string(text), string(delimiter), small(count)]
    const parts = mark === '' ? [...within] : within.split(mark)
    if (most < 0) return parts.slice(Math.max(parts.length + most, 0))
    return parts.slice(0, most)
  }),
  indexof_n: pure((text, part) => {
    const [within, search] = [[...string(text)], [...string(part)]]
    if (search.length === 0) throw new Error('empty search character')
    return within
      .map((_, index) => index)
      .filter((index) => search.every((rune, offset) => within[index + offset] === rune))
  }),
  'glob.quote_meta': pure((pattern) => string(pattern).replace(/[*?\\[\]{}]/g, '\\$&')),
}

function anyOf(
  texts: Value | undefined,
  parts: Value | undefined,
  matches: (text: string, part: string) => boolean,
): boolean {
  const searched = list(parts)
  return list(texts).some((text) => searched.some((part) => matches(text, part)))
}

function list(value: Value | undefined): readonly string[] {
  if (value !== undefined && (isArray(value) || isSet(value))) return [...value].map(string)
  return [string(value)]
}
