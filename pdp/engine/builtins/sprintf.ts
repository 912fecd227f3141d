/** `sprintf` as Go's fmt prints what OPA hands it: integers, floats, and text for everything else. */
import { members, sorted } from '../order.ts'
import { isArray, isObject, isSet, type Value } from '../value.ts'
import { array, type Builtins, pure, string } from './operands.ts'

const widthMax = 10_000

export const printf: Builtins = {
  sprintf: pure((format, values) => sprintf(string(format), array(values).map(argumentOf))),
}

/** What OPA passes on: exponents without a point stay text. */
type Argument =
  | { readonly type: 'int64' | 'big.Int'; readonly value: bigint }
  | { readonly type: 'float64'; readonly value: number }
  | { readonly type: 'string'; readonly value: string }

type Flags = {
  readonly plus: boolean
  readonly minus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
  readonly width: number
  readonly precision: number | undefined
}

function argumentOf(value: Value): Argument {
  if (typeof value === 'string') return { type: 'string', value }
  if (typeof value === 'number' && !Number.isInteger(value)) {
    const text = String(value)
    return text.includes('.') ? { type: 'float64', value } : { type: 'string', value: text }
  }
  if (typeof value === 'number' || typeof value === 'bigint') return integerOf(value)
  return { type: 'string', value: rego(value) }
}

function integerOf(value: number | bigint): Argument {
  if (typeof value === 'number' && Math.abs(value) >= 1e21)
    return { type: 'string', value: String(value) }
  const exact = BigInt(value)
  return { type: BigInt.asIntN(64, exact) === exact ? 'int64' : 'big.Int', value: exact }
}

function sprintf(format: string, args: readonly Argument[]): string {
  let used = 0
  const directive = /%([-+# 0]*)(\d*)(?:\.(\d*))?(.?)/gsu
  const text = format.replace(
    directive,
    (all, flags: string, width: string, precision, verb: string) => {
      if (all.includes('*') || verb === '[' || Number(width) > widthMax)
        throw new Error('this form of width or index is not provided')
      if (verb === '') return '%!(NOVERB)'
      if (verb === '%') return '%'
      const argument = args[used++]
      if (argument === undefined) return `%!${verb}(MISSING)`
      return one(argument, verb, flagsOf(flags, width, precision as string | undefined))
    },
  )
  const extra = args.slice(used).map((argument) => `${argument.type}=${plainly(argument)}`)
  return extra.length === 0 ? text : `${text}%!(EXTRA ${extra.join(', ')})`
}

function flagsOf(flags: string, width: string, precision: string | undefined): Flags {
  if (Number(precision) > widthMax) throw new Error('the precision is too large')
  return {
    plus: flags.includes('+'),
    minus: flags.includes('-'),
    sharp: flags.includes('#'),
    space: flags.includes(' '),
    zero: flags.includes('0') && !flags.includes('-'),
    width: Number(width),
    precision: precision === undefined ? undefined : Number(precision),
  }
}

function one(argument: Argument, verb: string, flags: Flags): string {
  if (flags.sharp && verb !== 'x' && verb !== 'X') throw new Error('the flag # is not provided')
  const made =
    argument.type === 'string'
      ? ofText(argument.value, verb, flags)
      : argument.type === 'float64'
        ? ofFloat(argument.value, verb, flags)
        : ofInteger(argument, verb, flags)
  return made ?? `%!${verb}(${argument.type}=${plainly(argument)})`
}

function ofText(text: string, verb: string, flags: Flags): string | undefined {
  const cut = flags.precision === undefined ? text : [...text].slice(0, flags.precision).join('')
  if (verb === 's' || verb === 'v') return pad(cut, flags)
  if (verb === 'q') return pad(quote(cut), flags)
  if (verb !== 'x' && verb !== 'X') return undefined
  if (flags.space || flags.sharp || flags.precision !== undefined)
    throw new Error('this form of %x is not provided')
  const digits = Buffer.from(text).toString('hex')
  return pad(verb === 'x' ? digits : digits.toUpperCase(), flags)
}

function ofInteger(argument: Argument, verb: string, flags: Flags): string | undefined {
  const value = argument.value as bigint
  const big = argument.type === 'big.Int'
  if (flags.precision !== undefined) throw new Error('precision of an integer is not provided')
  switch (verb) {
    case 'v':
    case 'd':
      return padNumber(value, 10, '', flags)
    case 's':
      return big ? padNumber(value, 10, '', flags) : undefined
    case 'b':
      return padNumber(value, 2, '', flags)
    case 'o':
      return padNumber(value, 8, '', flags)
    case 'x':
      return padNumber(value, 16, flags.sharp ? '0x' : '', flags)
    case 'X':
      return padNumber(value, 16, flags.sharp ? '0X' : '', flags).toUpperCase()
    case 'c':
    case 'q':
    case 'U':
      throw new Error(`%${verb} of an integer is not provided`)
    default:
      return undefined
  }
}

function padNumber(value: bigint, base: number, prefix: string, flags: Flags): string {
  const digits = prefix + (value < 0n ? -value : value).toString(base)
  return signed(digits, value < 0n, flags)
}

function signed(digits: string, negative: boolean, flags: Flags): string {
  const sign = negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : ''
  if (flags.zero) return sign + digits.padStart(flags.width - sign.length, '0')
  return pad(sign + digits, flags)
}

function ofFloat(value: number, verb: string, flags: Flags): string | undefined {
  const magnitude = Math.abs(value)
  const { precision } = flags
  const digits = {
    v: () => general(magnitude, precision),
    g: () => general(magnitude, precision),
    f: () => fixed(magnitude, precision ?? 6),
    F: () => fixed(magnitude, precision ?? 6),
    e: () => exponential(magnitude, precision ?? 6),
    E: () => exponential(magnitude, precision ?? 6).toUpperCase(),
    G: () => general(magnitude, precision).toUpperCase(),
  }[verb]
  if (digits !== undefined) return signed(digits(), value < 0, flags)
  if (verb === 'x' || verb === 'X' || verb === 'b')
    throw new Error(`%${verb} of a float is not provided`)
  return undefined
}

function fixed(value: number, precision: number): string {
  if (precision > 100 || value >= 1e21) throw new Error('this precision is not provided')
  return even(value.toFixed(precision), value.toFixed(100))
}

function exponential(value: number, precision: number | undefined): string {
  if (precision !== undefined && precision > 100) throw new Error('this precision is not provided')
  const form = value.toExponential(precision)
  const [digits = '', exponent = ''] = form.split('e')
  const exact = precision === undefined ? digits : value.toExponential(100).split('e')[0]
  return `${even(digits, exact ?? digits)}e${exponent.replace(/^([-+])(\d)$/, '$10$2')}`
}

/** A half goes to the even digit in Go and up in JavaScript: `exact` tells whether it was exactly a half. */
function even(rounded: string, exact: string): string {
  const kept = exact.slice(0, rounded.length).replace(/\.$/, '')
  const rest = exact.slice(kept.length).replace('.', '')
  return /^50*$/.test(rest) && /[02468]$/.test(kept) && kept.length === rounded.length
    ? kept
    : rounded
}

/** %g: the shortest form, or so many digits, with an exponent where that is far from the point. */
function general(value: number, precision: number | undefined): string {
  const most = precision === undefined ? undefined : Math.max(precision, 1) - 1
  const form = exponential(value, most)
  const exponent = Number(form.slice(form.indexOf('e') + 1))
  const digits = form.slice(0, form.indexOf('e')).replace('.', '').replace(/0+$/, '').length
  const limit = precision === undefined ? 6 : Math.max(precision, 1)
  if (exponent < -4 || exponent >= limit) return exponential(value, Math.max(digits - 1, 0))
  return fixed(value, Math.min(Math.max(digits - 1 - exponent, 0), 100))
}

function pad(text: string, flags: Flags): string {
  const missing = Math.max(flags.width - [...text].length, 0)
  if (flags.minus) return text + ' '.repeat(missing)
  return (flags.zero ? '0' : ' ').repeat(missing) + text
}

function plainly(argument: Argument): string {
  return argument.type === 'float64' ? general(argument.value, undefined) : String(argument.value)
}

/** A value the way Rego writes it, sets and members in order. */
function rego(value: Value): string {
  if (typeof value === 'string') return quote(value)
  if (isArray(value)) return `[${value.map(rego).join(', ')}]`
  if (isSet(value)) return value.size === 0 ? 'set()' : `{${sorted(value).map(rego).join(', ')}}`
  if (isObject(value))
    return `{${members(value)
      .map((pair) => pair.map(rego).join(': '))
      .join(', ')}}`
  return String(value)
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
}

/** strconv.Quote. */
function quote(text: string): string {
  const inner = text.toWellFormed().replace(/["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, (found) => {
    const known = escapes[found]
    if (known !== undefined) return known
    const code = found.codePointAt(0) ?? 0
    const hex = code.toString(16)
    if (code < 0x80) return `\\x${hex.padStart(2, '0')}`
    return code > 0xffff ? `\\U${hex.padStart(8, '0')}` : `\\u${hex.padStart(4, '0')}`
  })
  return `"${inner}"`
}
