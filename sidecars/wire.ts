import type { Duplex } from 'node:stream'
import type { Gate, Knock, Session } from '../pdp/contract.ts'
import { codes, Malformed, Refusal, refusalOf } from '../pdp/refusal.ts'
import { outbox } from './bytes.ts'
import { channel } from './channel.ts'
import type { Channel, Door, Link, Relay, Sidecar, Taker, Wire } from './sidecar.ts'

/** From the first byte to a session, the client's slowness and the datastore's together. */
const loginMsMax = 60_000

/** Everything about relaying that no protocol should have to write twice: order, backpressure, errors, teardown. */
export function wire(spec: Wire): Sidecar {
  const { protocol, port, capabilities } = spec
  return { protocol, port, capabilities, serve }

  async function serve(socket: Duplex, gate: Gate, door: Door): Promise<void> {
    const client = channel(socket, spec.length, door.frameBytesMax)
    const entrance = attended(gate, client, spec)
    let late = false
    const timer = setTimeout(() => {
      late = true
      client.close()
    }, loginMsMax)
    try {
      const link = await spec.login(client, entrance.gate, door)
      clearTimeout(timer)
      if (late) throw new Malformed(`the login took longer than ${loginMsMax / 1000} seconds`)
      if (link === undefined) return client.end()
      entrance.talk()
      await relayed(client, link, spec)
    } catch (problem) {
      const session = entrance.session()
      if (session === undefined) gate.turnedAway(door.peer, problem)
      else session.close(problem)
      client.write(spec.fatal(lastWords(problem, session)))
      client.end()
    } finally {
      clearTimeout(timer)
    }
  }
}

type Entrance = {
  readonly gate: Gate
  readonly session: () => Session | undefined
  readonly talk: () => void
}

/** A gate that knows when this client hangs up, and how to talk to it once it can listen. */
function attended(gate: Gate, client: Channel, spec: Wire): Entrance {
  let session: Session | undefined
  let listening = false
  const tell = (text: string): void => {
    if (listening && spec.notice !== undefined) client.write(spec.notice(text))
  }
  async function open(knock: Knock): Promise<Session> {
    session = await gate.open({ ...knock, tell })
    return session
  }
  return {
    gate: { ...gate, open },
    session: () => session,
    talk: () => {
      listening = true
    },
  }
}

/** Relays until either side is done; resolves when both are closed. */
function relayed(client: Channel, link: Link, spec: Wire): Promise<void> {
  const { server, session, relay } = link
  return new Promise((resolve) => {
    let over = false
    client.gone.addEventListener('abort', () => finish(), { once: true })
    session.ended.addEventListener('abort', ended, { once: true })
    server.flow(responses(server, client, relay, finish))
    if (!over) client.flow(requests(client, server, relay.request, finish))
    if (session.ended.aborted) ended()
    else if (client.gone.aborted) finish()

    function ended(): void {
      finish(session.ended.reason ?? new Refusal('session_ended'))
    }

    function finish(problem?: unknown): void {
      if (over) return
      over = true
      session.ended.removeEventListener('abort', ended)
      client.stop()
      server.stop()
      if (problem !== undefined) client.write(spec.fatal(lastWords(problem, session)))
      link.closed?.()
      session.close(problem)
      client.end()
      server.end()
      resolve()
    }
  })
}

/** One at a time and in order: the next command is not read before the last one was ruled on. */
function requests(
  client: Channel,
  server: Channel,
  request: (frame: Buffer) => Buffer | Promise<Buffer>,
  finish: (problem?: unknown) => void,
): Taker {
  const out = outbox()
  let thinking = false
  let full = false
  return { take, flush, end: finish }

  function take(frame: Buffer): boolean {
    const answer = request(frame)
    if (Buffer.isBuffer(answer)) {
      out.add(answer)
      return true
    }
    thinking = true
    answer.then(thought, finish)
    return false
  }

  function thought(bytes: Buffer): void {
    thinking = false
    out.add(bytes)
    flush()
    goOn()
  }

  function flush(): void {
    if (server.write(out.take()) || full) return
    full = true
    client.stop()
    server.drained(() => {
      full = false
      goOn()
    })
  }

  function goOn(): void {
    if (!thinking && !full) client.go()
  }
}

const closedByServer = new Refusal('upstream_unavailable', 'the datastore closed the connection')

/** No promise per row: one batch in, one write out. */
function responses(
  server: Channel,
  client: Channel,
  relay: Relay,
  finish: (problem?: unknown) => void,
): Taker {
  const out = outbox()
  let held = false
  let full = false
  return {
    take(frame) {
      out.add(relay.response(frame))
      const hold = relay.held?.()
      if (hold === undefined) return true
      held = true
      void hold.then(() => {
        held = false
        goOn()
      })
      return false
    },
    flush() {
      if (client.write(out.take()) || full) return
      full = true
      server.stop()
      client.drained(() => {
        full = false
        goOn()
      })
    },
    end(problem) {
      // What was rewritten before the failure may go out; the failing message may not.
      client.write(out.take())
      finish(problem ?? (relay.left?.() ? undefined : closedByServer))
    },
  }

  function goOn(): void {
    if (!held && !full) server.go()
  }
}

/** Only a Refusal explains itself; a failure of ours names the session, so that the log can be searched for it. */
function lastWords(problem: unknown, session: Session | undefined): Refusal {
  const refusal = refusalOf(problem)
  if (refusal.code !== 'internal_error' || session === undefined) return refusal
  return new Refusal('internal_error', `${codes.internal_error} (session ${session.id})`)
}
