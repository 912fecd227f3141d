/** Statements longer than this are not read. */
export const BYTES_MAX = 256 * 1024
/** Longer ones are parsed in a thread of their own, so that nobody else waits for them. */
export const HERE_BYTES_MAX = 16 * 1024
/** Longer ones are not parsed again by the loop that serves all sessions, whatever for. */
export const AGAIN_BYTES_MAX = 64 * 1024
/** Time grows with the square of the nesting of comments. */
export const COMMENTS_MAX = 8
/** What a syntax tree may be deep; the parser runs out of stack from about 3,000 on. */
export const NESTING_MAX = 500
/** Statements in one text: each is judged and put on record by itself, and the text is answered as a whole. */
export const STATEMENTS_MAX = 1_000
/** Longer names are cut (NAMEDATALEN). */
const NAME_BYTES_MAX = 63

/** Words that nest what follows them across commas and conjunctions. */
const nesting = new Set(['join', 'union', 'intersect', 'except'])
const conjunctions = new Set(['and', 'or'])
/** What CASE has side by side. */
const branches = new Set(['when', 'then', 'else'])

const word = /[a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*/iy
const dollar = /\$(?:[a-z_\u0080-\uffff][a-z0-9_\u0080-\uffff]*)?\$/iy
const digits = /[0-9]+/y
const blank = /[ \t\n\r\f\v]+/y
/** A literal goes on after a line break; comments may stand in between (scan.l, quotecontinue). */
const continuation = /(?:[ \t\f\v]|--[^\n\r]*)*[\n\r](?:[ \t\n\r\f\v]|--[^\n\r]*[\n\r])*'/y

/**
 * Why a text must not reach the parser, or undefined. Cheap, and never deeper than the text: it counts what can nest since
 * the last comma, conjunction or branch, and what closed there may be below all of it. That is at least the tree's depth.
 */
export function problem(text: string): string | undefined {
  if (text.includes('\0')) return 'it holds a NUL character'
  if (isLonger(text, BYTES_MAX)) return `it is longer than ${BYTES_MAX} bytes`
  const depth = meter()
  for (let at = 0; at < text.length; ) {
    const next = token(text, at, depth)
    if (next === undefined) return `comments nest deeper than ${COMMENTS_MAX}`
    if (isCut(text, at, next)) return `a name is longer than ${NAME_BYTES_MAX} bytes`
    if (depth.max() > NESTING_MAX) return `it nests deeper than ${NESTING_MAX}`
    at = next
  }
  return undefined
}

/** Whether a text has more bytes than that. */
export function isLonger(text: string, bytes: number): boolean {
  if (text.length * 3 <= bytes) return false
  return text.length > bytes || Buffer.byteLength(text) > bytes
}

const nameStart = /["a-z_\u0080-\uffff]/i
const ascii = /^[\0-\x7f]*$/

/** Cut by the bytes of the database's own encoding, which need not be ours: the server may take it for another name. */
function isCut(text: string, from: number, to: number): boolean {
  if ((to - from) * 3 <= NAME_BYTES_MAX || !nameStart.test(text[from] ?? '')) return false
  const name = text.slice(from, to)
  const foreign = !ascii.test(name) || text[from - 1] === '&'
  return foreign && Buffer.byteLength(name) > NAME_BYTES_MAX
}

type Meter = ReturnType<typeof meter>

/** One parenthesis or CASE: what may nest since the last operand (`run`) or past it (`kept`), and the deepest that closed. */
type Group = { readonly word: boolean; run: number; kept: number; inner: number; deepest: number }

const group = (word: boolean): Group => ({ word, run: 0, kept: 0, inner: 0, deepest: 0 })
const height = (one: Group): number => one.kept + Math.max(one.deepest, one.run + one.inner)

function meter() {
  let top = group(false)
  let outside = 0
  /** A name and not the word, which closes or parts nothing. */
  let name = false
  const open: Group[] = []
  const operand = (): void => {
    top.deepest = Math.max(top.deepest, top.run + top.inner)
    top.run = top.inner = 0
  }
  const push = (word: boolean): void => {
    top.run += 1
    open.push(top)
    outside += top.kept + top.run
    top = group(word)
  }
  const pop = (): void => {
    const before = open.pop()
    if (before === undefined) return
    outside -= before.kept + before.run
    before.inner = Math.max(before.inner, height(top))
    top = before
  }
  return {
    max: () => outside + height(top),
    add: () => {
      top.run += 1
    },
    keep: () => {
      top.kept += 1
    },
    operand,
    open: () => push(false),
    close: () => {
      while (top.word) pop()
      pop()
    },
    /** Reads a word; true where it is one of a CASE. */
    choice: (lower: string) => {
      if (lower === 'case') push(true)
      else if (name || !top.word) return false
      else if (lower === 'end') pop()
      else if (branches.has(lower)) operand()
      else return false
      return true
    },
    /** Whether what follows a token is a name whatever it says: after a dot or AS. */
    naming: (does: boolean) => {
      name = does
    },
    statement: () => {
      if (open.length === 0) top = group(false)
    },
  }
}

/** Where the token at `at` ends; undefined when its comments nest too deep. Unterminated ones end the text. */
function token(text: string, at: number, depth: Meter): number | undefined {
  const char = text[at] ?? ''
  const after = text[at + 1]
  switch (char) {
    case ' ':
    case '\n':
    case '\t':
    case '\r':
    case '\f':
    case '\v':
      return match(blank, text, at)
    case "'":
      return literal(text, at + 1, false)
    case '"':
      depth.add()
      depth.naming(false)
      return quoted(text, at + 1, '"')
    case '(':
    case '[':
      depth.open()
      return at + 1
    case ')':
    case ']':
      depth.close()
      return at + 1
    case ',':
      depth.operand()
      return at + 1
    case ';':
      depth.statement()
      return at + 1
    case '-':
      if (after === '-') return lineEnd(text, at)
      break
    case '/':
      if (after === '*') return comment(text, at)
      break
    case '$': {
      const end = match(dollar, text, at)
      if (end > at) return closing(text, text.slice(at, end), end)
      break
    }
  }
  const end = match(digits, text, at)
  if (end > at) {
    depth.add()
    return end
  }
  return plain(text, at, depth)
}

function plain(text: string, at: number, depth: Meter): number {
  const end = match(word, text, at)
  if (end === at) {
    depth.add()
    depth.naming(text[at] === '.')
    return at + 1
  }
  if (end - at === 1 && text[end] === "'") {
    return literal(text, end + 1, text[at] === 'e' || text[at] === 'E')
  }
  const lower = end - at > 9 ? '' : text.slice(at, end).toLowerCase()
  if (!depth.choice(lower)) {
    if (nesting.has(lower)) depth.keep()
    else if (conjunctions.has(lower)) depth.operand()
    else depth.add()
  }
  depth.naming(lower === 'as')
  return end
}

function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex : at
}

function literal(text: string, from: number, escapes: boolean): number {
  let at = from
  for (;;) {
    const char = text[at]
    if (char === undefined) return at
    if (char === '\\' && escapes) at += 2
    else if (char !== "'") at += 1
    else if (text[at + 1] === "'") at += 2
    else {
      const on = match(continuation, text, at + 1)
      if (on === at + 1) return on
      at = on
    }
  }
}

function quoted(text: string, from: number, quote: string): number {
  for (let at = from; ; ) {
    const end = text.indexOf(quote, at)
    if (end < 0) return text.length
    if (text[end + 1] !== quote) return end + 1
    at = end + 2
  }
}

function closing(text: string, tag: string, from: number): number {
  const end = text.indexOf(tag, from)
  return end < 0 ? text.length : end + tag.length
}

function lineEnd(text: string, at: number): number {
  for (let end = at; end < text.length; end += 1) {
    if (text[end] === '\n' || text[end] === '\r') return end
  }
  return text.length
}

function comment(text: string, from: number): number | undefined {
  let depth = 0
  for (let at = from; at < text.length; ) {
    if (text[at] === '/' && text[at + 1] === '*') {
      depth += 1
      if (depth > COMMENTS_MAX) return undefined
      at += 2
    } else if (text[at] === '*' && text[at + 1] === '/') {
      depth -= 1
      at += 2
      if (depth === 0) return at
    } else at += 1
  }
  return text.length
}
