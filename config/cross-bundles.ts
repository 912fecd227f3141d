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

const ways = ['bearer', 'basic', 'tls', 'aws'] as const

/** Mistakes that lie between the settings of bundles. */
export function bundleFindings(document: Fields): readonly Finding[] {
  const bundle = fields(document['bundle'])
  const shadow = fields(bundle['shadow'])
  const report = fields(fields(document['gate'])['report'])
  const publishes = document['bundle_server'] !== undefined
  return [
    ...when(isFields(document['bundle']) && bundle['source'] === undefined && !publishes, {
      path: ['bundle', 'source'],
      problem: 'is missing',
      fix: 'give a file or a URL, or publish bundles here with bundle_server',
    }),
    ...when(!publishes && list(document['listeners']).length === 0 && empty(document), {
      path: ['listeners'],
      problem: document['listeners'] === undefined ? 'is missing' : 'is an empty list',
      fix: 'give at least one listener, or publish bundles here with bundle_server',
    }),
    ...when(tooFewKeys(bundle), {
      path: ['bundle', 'signatures_min'],
      problem: 'asks for more signers than bundle.keys has',
      fix: 'add the public keys of the others, or lower it',
    }),
    ...placeFindings(bundle, ['bundle']),
    ...placeFindings(shadow, ['bundle', 'shadow']),
    ...authFindings(report, ['gate', 'report']),
    ...authFindings(fields(document['decision_logs']), ['decision_logs']),
    ...when(publishes, () => serverFindings(document)),
  ]
}

function tooFewKeys({ signatures_min, keys }: Fields): boolean {
  return (
    typeof signatures_min === 'number' && signatures_min <= 16 && signatures_min > list(keys).length
  )
}

function empty({ listeners }: Fields): boolean {
  return listeners === undefined || Array.isArray(listeners)
}

function placeFindings(place: Fields, path: Path): readonly Finding[] {
  const { source } = place
  const remote = typeof source === 'string' && /^https?:/i.test(source)
  const stray = ['auth', 'ca'].filter((name) => place[name] !== undefined && !remote)
  return [
    ...stray.map((name) => ({
      path: [...path, name],
      problem: 'is of no use to a source that is no URL',
      fix: 'leave it out',
    })),
    ...authFindings(place, path),
  ]
}

function authFindings(place: Fields, path: Path): readonly Finding[] {
  if (!isFields(place['auth'])) return []
  const at = [...path, 'auth']
  const auth = fields(place['auth'])
  const aws = fields(auth['aws'])
  return [
    ...oneOf(auth, ways, at, 'give bearer, basic, tls or aws'),
    ...secretFindings(auth['bearer'], [...at, 'bearer']),
    ...secretFindings(fields(auth['basic'])['password'], [...at, 'basic', 'password']),
    ...['access_key', 'secret_key', 'session_token'].flatMap((name) =>
      secretFindings(aws[name], [...at, 'aws', name]),
    ),
  ]
}

function serverFindings(document: Fields): readonly Finding[] {
  const server = fields(document['server'])
  const published = fields(document['bundle_server'])
  const push = fields(published['push'])
  const pull = fields(published['pull'])
  const named = list(push['groups']).length + list(push['subjects']).length
  const told = list(pull['groups']).length > 0
  const some = told || ['token', 'client_ca'].some((name) => pull[name] !== undefined)
  return [
    ...when(named === 0, {
      path: ['bundle_server', 'push'],
      problem: 'lets nobody push',
      fix: 'name groups or subjects of your pipelines',
    }),
    ...when(!some && pull['open'] !== true, {
      path: ['bundle_server', 'pull'],
      problem: 'lets no gate fetch a bundle',
      fix: 'give groups, token or client_ca (or open: true on loopback)',
    }),
    ...when(pull['open'] === true && !isLocal(server['listen'] ?? '127.0.0.1:0'), {
      path: ['bundle_server', 'pull', 'open'],
      problem: 'would be for everybody on the network',
      fix: 'give groups, token or client_ca, or listen on 127.0.0.1',
    }),
    ...when(pull['client_ca'] !== undefined && server['tls'] === undefined, {
      path: ['bundle_server', 'pull', 'client_ca'],
      problem: 'needs TLS',
      fix: 'add server.tls',
    }),
    ...secretFindings(pull['token'], ['bundle_server', 'pull', 'token']),
  ]
}
