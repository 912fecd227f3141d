import type { TLSSocket } from 'node:tls'
import type { Credential, Upstream } from '../../pdp/contract.ts'
import { Malformed, Refusal } from '../../pdp/refusal.ts'
import type { Channel } from '../sidecar.ts'
import { type Dialled, dial, unavailable } from './dial.ts'
import { int32, message, text } from './frames.ts'
import { fields } from './report.ts'
import { type Scram, scram } from './scram.ts'

/** A datastore that has accepted the gate's own login and waits for the first command. */
export type Opened = {
  readonly channel: Channel
  /** ParameterStatus messages, for the client as they came. */
  readonly parameters: readonly Buffer[]
  /** What a CancelRequest must carry; undefined when the server cannot cancel. */
  readonly key?: Buffer
}

const loginMsMax = 20_000
const authenticationStepsMax = 4
/** Kinds of authentication request (PostgreSQL 55.7). */
const ok = 0
const cleartext = 3
const sasl = 10
const saslContinue = 11
const saslFinal = 12
/** A server greets with about fifteen parameters. */
const greetingsMax = 1_000

/** Logs in with the gate's own credential. Throws Refusal `upstream_unavailable` or `upstream_refused`. */
export async function login(
  upstream: Upstream,
  credential: Credential,
  settings: Readonly<Record<string, string>>,
  frameBytesMax?: number,
): Promise<Opened> {
  const dialled = await dial(upstream, frameBytesMax)
  const { channel } = dialled
  const timer = setTimeout(() => channel.close(), loginMsMax)
  try {
    channel.write(greeting({ ...settings, user: credential.username, client_encoding: 'UTF8' }))
    await authenticate(dialled, credential)
    return await welcomed(channel)
  } catch (problem) {
    channel.close()
    throw understood(problem, credential)
  } finally {
    clearTimeout(timer)
  }
}

/** Whatever is wrong with the datastore is not the client's message. */
function understood(problem: unknown, { setting }: Credential): unknown {
  if (problem instanceof Refusal && problem.code === 'upstream_refused' && setting !== undefined)
    return new Refusal('upstream_refused', `${problem.message}: see ${setting} of the listener`)
  if (problem instanceof Malformed) return unavailable(problem.message)
  const foreign = problem instanceof Refusal && problem.code === 'message_too_large'
  return foreign ? unavailable('the datastore does not speak PostgreSQL') : problem
}

/** Protocol 3.0: the key it hands out never leaves the gate, so its length does not matter to clients. */
function greeting(settings: Readonly<Record<string, string>>): Buffer {
  return message('', int32(3 << 16), ...Object.entries(settings).flat(), Buffer.from([0]))
}

async function next(channel: Channel): Promise<Buffer> {
  const frame = await channel.read()
  if (frame === undefined) throw unavailable('the datastore closed the connection during the login')
  if (frame[0] === 0x45) throw refused(frame)
  return frame
}

/** The server's words stay here: they may name the gate's own login. */
function refused(frame: Buffer): Refusal {
  const state = (fields(frame)['C'] ?? '').replace(/[^0-9A-Z]/g, '').slice(0, 5)
  if (state === '3D000')
    return new Refusal('upstream_refused', 'the datastore has no database of that name')
  const theirs = state.startsWith('28') || state.startsWith('42') || state.startsWith('22')
  return new Refusal(
    theirs ? 'upstream_refused' : 'upstream_unavailable',
    `the datastore did not accept the gate (SQLSTATE ${state})`,
  )
}

async function authenticate(dialled: Dialled, credential: Credential): Promise<void> {
  const { channel } = dialled
  for (let steps = 0; steps < authenticationStepsMax; steps += 1) {
    const frame = await next(channel)
    // NegotiateProtocolVersion: we ask for 3.0, whatever else it speaks.
    if (frame[0] === 0x76) continue
    if (frame[0] !== 0x52 || frame.length < 9) throw new Malformed('the datastore skips its login')
    const kind = frame.readInt32BE(5)
    if (kind === ok) return
    if (kind === cleartext && dialled.tls !== undefined)
      channel.write(message('p', credential.secret.reveal()))
    else if (kind === sasl) return proven(channel, chosen(frame, credential, dialled.tls))
    else throw unacceptable(kind)
  }
  throw new Malformed('the datastore does not finish its login')
}

/** SCRAM from the first message to the end; nothing but the server's own proof counts as success. */
async function proven(channel: Channel, exchange: Scram): Promise<void> {
  const { mechanism, first } = exchange
  channel.write(message('p', mechanism, int32(first.length), Buffer.from(first)))
  const answer = await exchange.answer(await step(channel, saslContinue))
  channel.write(message('p', Buffer.from(answer)))
  exchange.verify(await step(channel, saslFinal))
  await step(channel, ok)
}

async function step(channel: Channel, kind: number): Promise<string> {
  const frame = await next(channel)
  if (frame[0] !== 0x52 || frame.length < 9 || frame.readInt32BE(5) !== kind)
    throw new Malformed('the datastore breaks off its login')
  return frame.toString('utf8', 9)
}

function chosen(frame: Buffer, { secret }: Credential, tls: TLSSocket | undefined): Scram {
  const mechanisms = frame.toString('utf8', 9).split('\0').filter(Boolean)
  const exchange = scram(secret.reveal(), mechanisms, tls?.getPeerX509Certificate())
  if (exchange === undefined) throw unacceptable(sasl)
  return exchange
}

function unacceptable(kind: number): Refusal {
  return new Refusal(
    'upstream_refused',
    `the datastore asks for a login (${kind}) that the gate does not use without TLS, or at all`,
    { remedy: 'Give the gate a role with a scram-sha-256 password.' },
  )
}

async function welcomed(channel: Channel): Promise<Opened> {
  const parameters: Buffer[] = []
  let key: Buffer | undefined
  for (let count = 0; count < greetingsMax; count += 1) {
    const frame = await next(channel)
    switch (frame[0]) {
      case 0x53:
        parameters.push(frame)
        break
      case 0x4b:
        key = frame.subarray(5)
        break
      case 0x4e:
        break
      case 0x5a:
        return { channel, parameters, ...(key !== undefined && { key }) }
      default:
        throw new Malformed('the datastore greets with something unknown')
    }
  }
  throw new Malformed('the datastore does not finish its greeting')
}

/** Name and value of a ParameterStatus. */
export function parameterOf(frame: Buffer): readonly [name: string, value: string] {
  const [name, at] = text(frame, 5)
  return [name, text(frame, at)[0]]
}
