/** Questions about the demo's shop: everything a gate could ask that the policies answer differently. */
import type { Command, Counts, Effect, Input, Subject, Touched } from '../../pdp/contract.ts'

type Made = { readonly env?: string; readonly capabilities?: readonly string[] }

export const capabilities = [
  'hold',
  'limit:rows',
  'mask:hash',
  'mask:null',
  'mask:partial',
  'mask:redact',
  'mask:tokenize',
  'obligation:outlive_token',
  'obligation:profile',
  'quota',
]

export const alice = person('alice', ['engineers'])
export const robot: Subject = { ...person('support-bot', ['agents']), type: 'agent' }

const bob = person('bob', ['engineers', 'data-owners', 'security'])
const carol = person('carol', ['engineers', 'on-call'])
const stranger = person('mallory', ['marketing'])
const erin: Subject = {
  ...person('erin', ['break-glass']),
  claims: { email: 'erin@example.org', break_glass_reason: 'incident 4711, checkout is down' },
}
const assisted: Subject = { ...alice, actor: actor('agent', null) }
const assistedSecurity: Subject = { ...bob, actor: actor('agent', null) }
const farAgent: Subject = {
  ...alice,
  actor: actor('service', actor('service', actor('agent', null))),
}
const nightly: Subject = { ...person('nightly', ['engineers']), type: 'service' }

export const customers = table('public.customers', 'read', ['id', 'name', 'email'])
const orders = table('public.orders', 'read', ['id', 'item'])
const directory: Touched = {
  ...table('public.customer_directory', 'read', ['email']),
  kind: 'view',
}

export const selectCustomers = sql('select', ['read'], [customers])
export const deleteOrder = sql(
  'delete',
  ['read', 'delete'],
  [table('public.orders', 'write', ['id'])],
  { predicates: ['public.orders.id'] },
  { has_where: true },
)
const updatePayment = sql(
  'update',
  ['read', 'write'],
  [table('public.payments', 'write', ['amount'])],
  { predicates: ['public.payments.id'] },
  { has_where: true },
)

/** Every question by what is asked. */
export const questions: Readonly<Record<string, Input>> = {
  'a person connects': ask(alice, { name: 'connect', effects: ['session'], objects: [] }),
  'an agent connects': ask(robot, { name: 'connect', effects: ['session'], objects: [] }),
  'a service connects': ask(nightly, { name: 'connect', effects: ['session'], objects: [] }),
  'a stranger connects': ask(stranger, { name: 'connect', effects: ['session'], objects: [] }),
  'a person begins': ask(alice, sql('begin', ['session'], [])),
  'a person sets a harmless setting': ask(alice, sql('set', ['session'], [setting('timezone')])),
  'a person sets another setting': ask(alice, sql('set', ['session'], [setting('search_path')])),
  'an agent reads nothing of a table': ask(robot, sql('select', ['read'], [])),
  'a person reads orders': ask(alice, sql('select', ['read'], [orders])),
  'a person reads customers': ask(alice, selectCustomers),
  'an agent reads customers': ask(robot, selectCustomers),
  'an agent reads orders': ask(robot, sql('select', ['read'], [orders])),
  'an agent at a keyboard reads customers': ask(assisted, selectCustomers),
  'an agent three hands away reads customers': ask(farAgent, selectCustomers),
  'a service reads customers': ask(nightly, selectCustomers),
  'an agent reads a view': ask(robot, sql('select', ['read'], [directory, customers])),
  'an agent joins tables': ask(
    robot,
    sql('select', ['read'], [customers, orders, table('public.employees', 'read', ['salary'])], {
      outputs: [{ name: 'salary', sources: ['public.employees.salary'], exact: true }],
      predicates: ['public.orders.customer_id', 'public.customers.id'],
    }),
  ),
  'an agent filters by a masked column': ask(robot, filtered('public.customers.email')),
  'a person filters by a masked column': ask(alice, filtered('public.customers.ssn')),
  'an agent fetches from a cursor': ask(robot, sql('fetch', ['read'], [])),
  'an agent fetches and the sidecar says session': ask(robot, sql('fetch', ['session'], [])),
  'a person calls a listed function': ask(alice, calling('public.order_total', 'user:sql')),
  'a person calls an unlisted function': ask(alice, calling('public.purge', 'user:plpgsql')),
  'a person runs unlisted code': ask(
    alice,
    sql('select', ['read', 'execute'], [], {}, { functions: [{ name: 'x.y', class: 'unlisted' }] }),
  ),
  'a person reads an unlisted table': ask(
    alice,
    sql('select', ['read'], [table('internal.notes', 'read', ['id'])]),
  ),
  'a person reads the catalogue': ask(
    alice,
    sql('select', ['read'], [table('pg_catalog.pg_class', 'read', ['relname'])]),
  ),
  'a person reads secrets': ask(alice, secrets()),
  'security reads secrets': ask(bob, secrets()),
  'an agent of security reads secrets': ask(assistedSecurity, secrets()),
  'a person deletes an order': ask(alice, deleteOrder),
  'a person deletes an order in staging': ask(alice, deleteOrder, { env: 'staging' }),
  'a service deletes an order': ask(nightly, deleteOrder),
  'an agent at a keyboard deletes an order': ask(assisted, deleteOrder),
  'an agent deletes an order': ask(robot, deleteOrder),
  'a person deletes every order': ask(
    alice,
    sql('delete', ['delete'], [table('public.orders', 'write', [])]),
  ),
  'a person truncates': ask(
    alice,
    sql('truncate', ['delete'], [table('public.orders', 'write', [])]),
  ),
  'a person changes a payment': ask(alice, updatePayment),
  'somebody on call changes a payment': ask(carol, updatePayment),
  'break-glass changes a payment': ask(erin, updatePayment),
  'break-glass drops a table': ask(erin, drop()),
  'a person drops a table': ask(alice, drop()),
  'a person drops a table in staging': ask(alice, drop(), { env: 'staging' }),
  'a person grants': ask(alice, sql('grant', ['grant'], [table('public.orders', 'write', [])])),
  'an agent exports': ask(robot, sql('copy_to', ['read'], [customers])),
  'a person exports': ask(alice, sql('copy_to', ['read'], [customers])),
  'a command is incomplete': ask(
    alice,
    sql('do', ['unknown', 'execute'], [], { incomplete: 'a DO block' }),
  ),
  'a readable command is incomplete': ask(
    alice,
    sql('select', ['read'], [orders], { incomplete: 'function f is not known' }),
  ),
  'a command has unknown effects': ask(alice, sql('select', ['read', 'unknown'], [orders])),
  'the gate cannot mask': ask(robot, selectCustomers, { capabilities: ['limit:rows', 'quota'] }),
  'the gate cannot hold': ask(alice, deleteOrder, { capabilities: ['limit:rows', 'mask:redact'] }),
  'a person was granted something': {
    ...ask(alice, deleteOrder),
    ...granted(ask(alice, deleteOrder)),
  },
}

/** The question with the counts a gate would have taken. */
export function counted(question: Omit<Input, 'counts'>): Input {
  const { subject, resource, action, context } = question
  const counts: Counts = {
    groups: subject.groups.length,
    claims: Object.keys(subject.claims).length,
    labels: Object.keys(resource.labels).length,
    effects: action.effects.length,
    objects: action.objects.length,
    columns: action.objects.reduce((sum, { columns }) => sum + (columns?.length ?? 0), 0),
    outputs: action.outputs?.length ?? 0,
    predicates: action.predicates?.length ?? 0,
    grants: context.grants.length,
    incomplete: action.incomplete === undefined ? 0 : 1,
  }
  return { ...question, counts }
}

export function ask(subject: Subject, action: Command, made: Made = {}): Input {
  return counted({
    v: 1,
    phase: action.name === 'connect' ? 'connect' : 'command',
    subject,
    resource: {
      id: 'shop',
      protocol: 'postgres',
      labels: { env: made.env ?? 'production', team: 'shop' },
    },
    action,
    context: {
      peer: '127.0.0.1',
      tls: true,
      database: 'shop',
      user: 'app',
      application: 'psql',
      state: { search_path: 'public' },
      grants: [],
      capabilities: made.capabilities ?? capabilities,
    },
  })
}

function granted(question: Input): Input {
  const grants = [
    { id: 'g1', effects: ['delete'] as const, objects: ['public.orders'], approved_by: ['bob'] },
  ]
  return counted({ ...question, context: { ...question.context, grants } })
}

function person(id: string, groups: readonly string[]): Subject {
  return {
    id,
    type: 'human',
    issuer: 'https://id.example.org',
    groups,
    claims: { email: `${id}@example.org` },
    actor: null,
  }
}

function actor(type: 'agent' | 'service', next: Subject['actor']): NonNullable<Subject['actor']> {
  return { id: `a ${type}`, type, run: 'run-1', attested: true, actor: next }
}

export function sql(
  name: string,
  effects: readonly Effect[],
  objects: readonly Touched[],
  rest: Partial<Command> = {},
  facts: Readonly<Record<string, unknown>> = {},
): Command {
  return {
    name,
    effects,
    objects,
    predicates: [],
    text: `${name} ...`,
    sql: {
      dialect: 'postgres',
      kinds: [name],
      functions: [],
      has_where: false,
      has_limit: false,
      locking: false,
      triggers: false,
      ...facts,
    },
    ...rest,
  }
}

function filtered(column: string): Command {
  return sql('select', ['read'], [customers], { predicates: [column] }, { has_where: true })
}

function calling(name: string, trust: string): Command {
  const functions = [
    { name: 'pg_catalog.count', class: 'pure' },
    { name, class: trust },
  ]
  return sql(
    'select',
    ['read', 'execute'],
    [{ kind: 'function', name, access: 'read' }],
    {},
    { functions },
  )
}

function secrets(): Command {
  return sql('select', ['read'], [table('public.secrets', 'read', ['name', 'value'])])
}

function drop(): Command {
  return sql('drop_table', ['define'], [{ kind: 'table', name: 'public.orders', access: 'write' }])
}

export function table(
  name: string,
  access: Touched['access'],
  columns: readonly string[],
): Touched {
  return { kind: 'table', name, access, columns }
}

function setting(name: string): Touched {
  return { kind: 'setting', name, access: 'write' }
}
