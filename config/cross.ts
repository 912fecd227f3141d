import { bundleFindings } from './cross-bundles.ts'
import {
  type Fields,
  type Finding,
  fields,
  isFields,
  isLocal,
  list,
  oneOf,
  type Path,
  secretFindings,
  when,
} from './look.ts'
import { addressOf, isLoopback } from './loopback.ts'

/** Mistakes that lie between fields. Works on whatever was written, so that other mistakes hide none of these. */
export function crossFindings(raw: unknown): readonly Finding[] {
  const document = fields(raw)
  const listeners = list(document['listeners'])
  return [
    ...serverFindings(fields(document['server'])),
    ...bundleFindings(document),
    ...listeners.flatMap((listener, index) =>
      listenerFindings(fields(listener), ['listeners', index]),
    ),
    ...doubled(listeners, 'id', ['listeners'], 'give each listener an id of its own'),
    ...doubled(
      list(fields(document['bundle'])['keys']),
      'id',
      ['bundle', 'keys'],
      'give each key an id of its own',
    ),
    ...clashes(document, listeners),
    ...secretFindings(fields(document['masking'])['key'], ['masking', 'key']),
  ]
}

function serverFindings(server: Fields): readonly Finding[] {
  if (server['tls'] !== undefined || isLocal(server['listen'] ?? '127.0.0.1:0')) return []
  const problem = 'is reachable from other machines without TLS'
  return [{ path: ['server', 'listen'], problem, fix: 'add tls, or listen on 127.0.0.1' }]
}

function listenerFindings(listener: Fields, path: Path): readonly Finding[] {
  const upstream = fields(listener['upstream'])
  const local = isLocal(listener['listen'])
  const host = upstream['host']
  return [
    ...oneOf(listener, ['tls', 'plain'], path, 'give tls (or plain: true on loopback)'),
    ...when(listener['plain'] === true && !local, {
      path: [...path, 'plain'],
      problem: 'would carry tokens over the network unencrypted',
      fix: 'give tls, or listen on 127.0.0.1',
    }),
    ...envFindings(listener['labels'], path),
    ...when(isFields(listener['upstream']), () =>
      oneOf(upstream, ['tls', 'plain'], [...path, 'upstream'], 'give tls (or plain: true)'),
    ),
    ...when(upstream['plain'] === true && typeof host === 'string' && !isLoopback(host), {
      path: [...path, 'upstream', 'plain'],
      problem: 'would carry the credential over the network unencrypted',
      fix: 'give tls: {} for the authorities the system trusts, or tls: { ca: file }',
    }),
    ...['credential', 'sealed_credential'].flatMap((name) =>
      secretFindings(fields(listener[name])['secret'], [...path, name, 'secret']),
    ),
    ...when(
      isFields(listener['sealed_credential']) &&
        fields(listener['sealed_credential'])['username'] ===
          fields(listener['credential'])['username'],
      {
        path: [...path, 'sealed_credential', 'username'],
        problem: 'is the role that may read everything',
        fix: 'name a role of its own: postern grants prints what it needs',
      },
    ),
  ]
}

function envFindings(labels: unknown, path: Path): readonly Finding[] {
  return when(isFields(labels) && fields(labels)['env'] === undefined, {
    path: [...path, 'labels', 'env'],
    problem: 'is missing',
    fix: 'name the environment, as in env: production; policies ask for it',
  })
}

function doubled(
  items: readonly unknown[],
  name: string,
  path: Path,
  fix: string,
): readonly Finding[] {
  const seen = new Map<unknown, number>()
  return items.flatMap((item, index) => {
    const value = fields(item)[name]
    const first = seen.get(value)
    if (value === undefined) return []
    if (first === undefined) seen.set(value, index)
    const problem = `is the same as that of ${pathText([...path, first ?? 0])}`
    return first === undefined ? [] : [{ path: [...path, index, name], problem, fix }]
  })
}

// Two that listen on one port clash when they share an address; a wildcard shares all.
function clashes(document: Fields, listeners: readonly unknown[]): readonly Finding[] {
  const server = fields(document['server'])['listen'] ?? '127.0.0.1:8471'
  const all: readonly { readonly path: Path; readonly listen: unknown }[] = [
    { path: ['server', 'listen'], listen: server },
    ...listeners.map((listener, index) => ({
      path: ['listeners', index, 'listen'],
      listen: fields(listener)['listen'],
    })),
  ]
  return all.flatMap(({ path, listen }, index) => {
    const other = all.slice(0, index).find((earlier) => clash(earlier.listen, listen))
    if (other === undefined) return []
    const problem = `takes the port of ${pathText(other.path)}`
    return [{ path, problem, fix: 'give it a port of its own' }]
  })
}

function clash(one: unknown, two: unknown): boolean {
  if (typeof one !== 'string' || typeof two !== 'string') return false
  const [a, b] = [addressOf(one), addressOf(two)]
  const shared =
    a.host === b.host || [a.host, b.host].some((host) => /^(0\.0\.0\.0|::)$/.test(host))
  return a.port === b.port && a.port !== 0 && shared
}

/** `listeners[0].upstream.port`. */
export function pathText(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}
