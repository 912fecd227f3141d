/** What bench/decide.ts asks: questions of several sizes, and the typical ones of the demo's shop. */
import type { Command, Input, Subject } from '../pdp/contract.ts'

export type Case = {
  readonly name: string
  /** A question never asked before for each number. */
  ask(index: number): Input
}

/** The first question of a case with another text for each number. */
export function retold({ ask }: Case, index: number): Input {
  const asked = ask(0)
  return { ...asked, action: { ...asked.action, text: `${asked.action.text ?? ''} -- ${index}` } }
}

export const alice = person('alice', ['engineers'])
const robot: Subject = { ...person('support-bot', ['agents']), type: 'agent' }

const resource: Input['resource'] = {
  id: 'shop',
  protocol: 'postgres',
  labels: { env: 'production', team: 'shop' },
}

const context: Input['context'] = {
  peer: '127.0.0.1:50000',
  tls: true,
  database: 'shop',
  user: 'app',
  application: 'psql',
  state: { search_path: 'public' },
  grants: [],
  capabilities: [
    'hold',
    'limit:bytes',
    'limit:rows',
    'mask:hash',
    'mask:null',
    'mask:partial',
    'mask:redact',
    'mask:tokenize',
    'obligation:outlive_token',
    'obligation:profile',
    'quota',
  ],
}

/** Inputs of about 0.5 (the least that is complete), 1, 3 and 30 KB; what they are exactly is printed. */
export const sizes: readonly Case[] = [
  { name: 'the least there is', ask: least },
  { name: 'reads 1 column', ask: (index) => reads(columns(1), index) },
  { name: 'reads 28 columns', ask: (index) => reads(columns(28), index) },
  { name: 'reads 376 columns', ask: (index) => reads(columns(376), index) },
]

const personal = ['id', 'name', 'email', 'card_number', 'ssn', 'phone']

/** The decisions of an ordinary day. */
export const typical: readonly Case[] = [
  { name: 'BEGIN', ask: (index) => put(alice, sql('begin', ['session'], [], index)) },
  { name: 'a person reads orders', ask: (index) => reads(['id', 'item'], index) },
  {
    name: 'a person drops a table',
    ask: (index) => put(alice, sql('drop_table', ['define'], [orders('write')], index)),
  },
  {
    name: 'a person deletes, held',
    ask: (index) =>
      put(alice, {
        ...sql('delete', ['read', 'delete'], [orders('write', ['id'])], index, true),
        predicates: ['public.orders.id'],
      }),
  },
  {
    name: 'an agent reads, 4 masks',
    ask: (index) => put(robot, selects('public.customers', personal, index)),
  },
]

/** A change with its ticket, for the policy in bench/patterns. */
export const patterns: Case = {
  name: 'globs and a regex',
  ask: (index) =>
    put(alice, {
      ...sql('update', ['read', 'write'], [orders('write', ['id'])], index, true),
      text: `update orders set item = 'x' where id = ${index} /* ticket: SHOP-4711 */`,
    }),
}

function least(index: number): Input {
  const few = { id: 'a', issuer: 'i', groups: ['engineers'], claims: {}, actor: null } as const
  const where = { peer: '', tls: true, database: '', user: '', application: '', state: {} }
  return counted({
    v: 1,
    phase: 'command',
    subject: { ...few, type: 'human' },
    resource: { id: 'shop', protocol: 'x', labels: {} },
    action: { name: 'begin', effects: ['session'], objects: [], text: '', index },
    context: { ...where, grants: [], capabilities: ['limit:rows'] },
  })
}

function reads(names: readonly string[], index: number): Input {
  return put(alice, selects('public.orders', names, index))
}

function columns(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) => `column_${at}`)
}

function selects(table: string, names: readonly string[], index: number): Command {
  const read = { kind: 'table', name: table, access: 'read', columns: names } as const
  const outputs = names.map((name) => ({ name, sources: [`${table}.${name}`], exact: true }))
  return { ...sql('select', ['read'], [read], index), outputs }
}

function orders(access: 'read' | 'write', names?: readonly string[]): Command['objects'][number] {
  return {
    kind: 'table',
    name: 'public.orders',
    access,
    ...(names === undefined ? {} : { columns: names }),
  }
}

function sql(
  name: string,
  effects: Command['effects'],
  objects: Command['objects'],
  index: number,
  where = false,
): Command {
  const facts = { dialect: 'postgres', kinds: [name], functions: [], has_where: where }
  const flags = { has_limit: false, locking: false, triggers: false }
  const text = `${name} ... ${index}`
  return { name, effects, objects, predicates: [], text, sql: { ...facts, ...flags, index } }
}

/** The question about a command. */
export function put(subject: Subject, action: Command): Input {
  return counted({ v: 1, phase: 'command', subject, resource, action, context })
}

function counted(asked: Omit<Input, 'counts'>): Input {
  const { subject, resource, action, context } = asked
  const counts: Input['counts'] = {
    groups: subject.groups.length,
    claims: Object.keys(subject.claims).length,
    labels: Object.keys(resource.labels).length,
    effects: action.effects.length,
    objects: action.objects.length,
    columns: action.objects.reduce((sum, one) => sum + (one.columns?.length ?? 0), 0),
    outputs: action.outputs?.length ?? 0,
    predicates: action.predicates?.length ?? 0,
    grants: context.grants.length,
    incomplete: 0,
  }
  return { ...asked, counts }
}

function person(id: string, groups: readonly string[]): Subject {
  const issuer = 'https://id.example.org'
  return { id, type: 'human', issuer, groups, claims: { email: `${id}@example.org` }, actor: null }
}
