import { afterAll, beforeAll } from 'vitest'
import { type Listener, listen } from '../../../sidecars/listen.ts'
import { postgres } from '../../../sidecars/postgres/index.ts'
import { type PostgresOptions, type PostgresServer, startPostgres } from '../../servers/postgres.ts'
import { gate, type Policy, type TestGate } from '../kit.ts'

const schema = `
create role app login superuser password 'app-secret';
create database shop;
\\connect shop
create table customers (id int primary key, name text, email text, joined date default '2024-01-01');
insert into customers select i, 'name' || i, 'user' || i || '@example.com' from generate_series(1, 500) i;
create table t (id int primary key);
create view people as select id, email as mail from customers;
create function shout(text) returns text language sql immutable as 'select upper($1)';
`

/** A shop behind a gate, made anew for a test file. */
export interface Shop {
  readonly server: PostgresServer
  readonly gate: TestGate
  readonly port: number
  readonly plainPort: number
  /** Sets what policy says from now on. */
  decide(policy: Policy): void
  open(): number
}

/** Registers the hooks that start and stop a shop. */
export function shop(options: PostgresOptions = {}): Shop {
  let server: PostgresServer | undefined
  let made: TestGate | undefined
  let tls: Listener | undefined
  let plain: Listener | undefined
  let policy: Policy = () => 'allow'

  beforeAll(async () => {
    server = await startPostgres(options)
    server.sql(schema)
    const { host, port, certificates } = server
    const upstream = { host, port, tls: { ca: certificates.ca, servername: 'localhost' } }
    const login = { username: 'app', password: 'app-secret' }
    made = gate(upstream, login, (command, asking) => policy(command, asking))
    const { key, cert } = certificates
    const listening = { host: '127.0.0.1', port: 0, sidecar: postgres, gate: made }
    tls = await listen({ ...listening, tls: { key, cert } })
    // Plain on both sides, so that both ways of reading a socket are tested.
    plain = await listen({ ...listening, gate: { ...made, upstream: { host, port } } })
  })
  afterAll(async () => {
    await tls?.close()
    await plain?.close()
    await server?.stop()
  })

  return {
    get server() {
      return there(server)
    },
    get gate() {
      return there(made)
    },
    get port() {
      return there(tls).port
    },
    get plainPort() {
      return there(plain).port
    },
    decide(next) {
      policy = next
    },
    open: () => there(tls).connections() + there(plain).connections(),
  }
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the shop is not open')
  return value
}
