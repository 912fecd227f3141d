import { RE2JS } from 're2js'
import { type Builtins, pure, small, string } from './operands.ts'

const patternsMax = 256
const patterns = new Map<string, RE2JS>()

/** `regex.*` that WASM lacks, in linear time as in Go. */
export const regex: Builtins = {
  'regex.replace': pure((text, pattern, replacement) =>
    replace(string(text), compiled(string(pattern)), string(replacement)),
  ),
  'regex.split': pure((pattern, text) => split(compiled(string(pattern)), string(text))),
  'regex.find_n': pure((pattern, text, count) => {
    const subject = string(text)
    const most = small(count)
    const found = matches(compiled(string(pattern)), subject, most < 0 ? Infinity : most)
    return found.map(([start, end]) => subject.slice(start, end))
  }),
  'regex.template_match': pure((template, text, open, close) =>
    compiled(templated(string(template), string(open), string(close))).test(string(text)),
  ),
}

type Match = readonly [start: number, end: number, groups: readonly (string | undefined)[]]

function compiled(pattern: string): RE2JS {
  const known = patterns.get(pattern)
  if (known !== undefined) return known
  if (/\(\?<?[=!]/.test(pattern)) throw new Error('lookaround is not RE2')
  const made = RE2JS.compile(pattern)
  if (patterns.size >= patternsMax) patterns.clear()
  patterns.set(pattern, made)
  return made
}

/** Matches as Go finds them: an empty one right after another match does not count. */
function matches(pattern: RE2JS, text: string, most: number): readonly Match[] {
  const matcher = pattern.matcher(text)
  const found: Match[] = []
  let last = -1
  let at = 0
  while (found.length < most && at <= text.length && matcher.find(at)) {
    const start = matcher.start()
    const end = matcher.end()
    if (start !== end || start !== last) found.push([start, end, groupsOf(matcher, pattern)])
    last = end
    at = end > start ? end : end + width(text, end)
  }
  return found
}

function groupsOf(
  matcher: ReturnType<RE2JS['matcher']>,
  pattern: RE2JS,
): readonly (string | undefined)[] {
  return Array.from(
    { length: pattern.groupCount() + 1 },
    (_, index) => matcher.group(index) ?? undefined,
  )
}

function replace(text: string, pattern: RE2JS, replacement: string): string {
  const named = pattern.namedGroups()
  let made = ''
  let end = 0
  for (const [start, stop, groups] of matches(pattern, text, Infinity)) {
    made += text.slice(end, start) + expand(replacement, groups, named)
    end = stop
  }
  return made + text.slice(end)
}

/** `$1`, `${1}`, `$name`, `${name}` and `$$`, as Go's Expand reads them; an unknown group is empty. */
function expand(
  replacement: string,
  groups: readonly (string | undefined)[],
  named: Readonly<Record<string, number>>,
): string {
  const pattern = /\$(?:(\$)|(\w+)|\{(\w+)\})/g
  return replacement.replace(pattern, (_, dollar?: string, bare?: string, braced?: string) => {
    if (dollar !== undefined) return '$'
    const name = bare ?? braced ?? ''
    const index = /^\d+$/.test(name) ? Number(name) : (named[name] ?? -1)
    return groups[index] ?? ''
  })
}

/** Go's Split with no limit. */
function split(pattern: RE2JS, text: string): readonly string[] {
  if (pattern.pattern() !== '' && text === '') return ['']
  const pieces: string[] = []
  let end = 0
  let from = 0
  for (const [start, stop] of matches(pattern, text, Infinity)) {
    end = start
    if (stop !== 0) pieces.push(text.slice(from, end))
    from = stop
  }
  if (end !== text.length) pieces.push(text.slice(from))
  return pieces
}

/** A text with patterns between delimiters as one pattern of the whole. */
function templated(template: string, open: string, close: string): string {
  if (Buffer.byteLength(open) !== 1 || Buffer.byteLength(close) !== 1)
    throw new Error('a delimiter is one byte')
  let made = '^'
  let level = 0
  let from = 0
  for (let at = 0; at < template.length; at++) {
    if (template[at] === open && level++ === 0) {
      made += RE2JS.quote(template.slice(from, at))
      from = at + 1
    } else if (template[at] === close && --level <= 0) {
      if (level < 0) throw new Error('unbalanced delimiters')
      const part = template.slice(from, at)
      compiled(`^${part}$`)
      made += `(${part})`
      from = at + 1
    }
  }
  if (level !== 0) throw new Error('unbalanced delimiters')
  return `${made}${RE2JS.quote(template.slice(from))}$`
}

function width(text: string, at: number): number {
  return (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
}
