import type { Value } from '../value.ts'
import { type Builtins, pure, string } from './operands.ts'

type Uri = {
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string
  readonly fragment: string
}

/** `uri.*`, with the grammar of Go's net/url. */
export const uri: Builtins = {
  'uri.is_valid': pure((text) => {
    try {
      return string(text) !== '' && parse(string(text)) !== undefined
    } catch {
      return false
    }
  }),
  'uri.parse': pure((text) => {
    const { scheme, host, path, query, fragment } = parse(string(text))
    const [hostname, port] = hostOf(host)
    const plain = decoded(path, 'path')
    const parts = { scheme, hostname: decoded(hostname, 'host'), port, path: plain }
    const rest = {
      raw_path: escaped(plain) === path ? plain : path,
      raw_query: query,
      fragment: decoded(fragment, 'path'),
    }
    const present = Object.entries({ ...parts, ...rest }).filter(([, part]) => part !== '')
    return Object.fromEntries(present) as { readonly [key: string]: Value }
  }),
}

function parse(text: string): Uri {
  if (hasControl(text)) throw new Error('a control character')
  const [whole = '', fragment = ''] = cut(text, '#')
  decoded(fragment, 'path')
  if (whole === '*') return { scheme: '', host: '', path: '*', query: '', fragment }
  const [scheme, afterScheme] = schemeOf(whole)
  const [rest = '', query = ''] = cut(afterScheme, '?')
  const common = { scheme: scheme.toLowerCase(), query, fragment }
  if (!rest.startsWith('/')) return { ...common, host: '', path: relative(scheme, rest) }
  if (!rest.startsWith('//') || (scheme === '' && rest.startsWith('///')))
    return { ...common, host: '', path: checked(rest) }
  const end = rest.indexOf('/', 2)
  const authority = end < 0 ? rest.slice(2) : rest.slice(2, end)
  return { ...common, host: authorityOf(authority), path: checked(end < 0 ? '' : rest.slice(end)) }
}

/** What follows a scheme without a slash is opaque and no path; without a scheme its first part has no colon. */
function relative(scheme: string, rest: string): string {
  if (scheme !== '') return ''
  if (rest.split('/', 1)[0]?.includes(':')) throw new Error('a colon in the first part')
  return checked(rest)
}

function schemeOf(text: string): readonly [scheme: string, rest: string] {
  if (text.startsWith(':')) throw new Error('missing scheme')
  const found = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)
  return found === null ? ['', text] : [found[1] ?? '', text.slice(found[0].length)]
}

function authorityOf(authority: string): string {
  const at = authority.lastIndexOf('@')
  const user = authority.slice(0, Math.max(at, 0))
  if (!/^[\w\-.:~!$&'()*+,;=%@]*$/.test(user)) throw new Error('invalid user')
  decoded(user, 'path')
  const host = authority.slice(at + 1)
  const bracketed = host.startsWith('[')
  if (bracketed && !host.includes(']')) throw new Error('a bracket is not closed')
  const colon = bracketed ? host.lastIndexOf(']') + 1 : host.lastIndexOf(':')
  if (colon >= 0 && !/^(?::\d*)?$/.test(host.slice(colon))) throw new Error('invalid port')
  decoded(hostOf(host)[0], 'host')
  return host
}

/** The name without brackets, and the port. */
function hostOf(host: string): readonly [name: string, port: string] {
  const bracket = host.lastIndexOf(']')
  if (host.startsWith('[') && bracket > 0)
    return [host.slice(1, bracket), /^:(\d+)$/.exec(host.slice(bracket + 1))?.[1] ?? '']
  const [, name = host, port = ''] = /^(.*):(\d*)$/s.exec(host) ?? []
  return [name, port]
}

function checked(path: string): string {
  decoded(path, 'path')
  return path
}

function decoded(text: string, where: 'path' | 'host'): string {
  if (/%(?![\da-fA-F]{2})/.test(text)) throw new Error('invalid escape')
  if (where === 'host') {
    // Only what is no ASCII, and % itself for zones, may be written with a percent sign in a host.
    if (/%(?!25|[89a-fA-F])/.test(text)) throw new Error('invalid escape in the host')
    if (/[^\w\-.~!$&'()*+,;=:[\]<>"%\u0080-\uffff]/.test(text)) throw new Error('invalid host')
  }
  return text.replace(/(?:%[\da-fA-F]{2})+/g, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString(),
  )
}

/** A path as Go writes it when it has the choice. */
function escaped(path: string): string {
  return encodeURI(path.toWellFormed()).replace(
    /[!'()*#?]/g,
    (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function cut(text: string, mark: string): readonly string[] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}

function hasControl(text: string): boolean {
  return [...text].some((one) => one < ' ' || one === '\u007f')
}
