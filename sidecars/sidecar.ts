import type { Duplex } from 'node:stream'
import type { Gate, Session } from '../pdp/contract.ts'
import type { Refusal } from '../pdp/refusal.ts'

/** A protocol. `serve` owns one client connection to its end and never throws. */
export interface Sidecar {
  readonly protocol: string
  /** The port the protocol's clients use when told nothing. */
  readonly port: number
  /** What this protocol can enforce: `mask:redact`, `limit:rows`, `hold` and so on. */
  readonly capabilities: readonly string[]
  serve(client: Duplex, gate: Gate, door: Door): Promise<void>
}

/** What a listener knows of one connection before a byte is read. */
export type Door = {
  readonly peer: string
  /** Undefined where plain text was asked for, which config allows on loopback only. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

/** A protocol made of length-delimited messages. wire() turns it into a Sidecar. */
export interface Wire {
  readonly protocol: string
  readonly port: number
  readonly capabilities: readonly string[]
  /** Length of the message at `at`; 0 while it cannot be told yet. Throws Malformed. */
  length(bytes: Buffer, at: number): number
  /** Straight-line login: token from the client, credential to the server. Undefined when there is nothing to relay. */
  login(client: Channel, gate: Gate, door: Door): Promise<Link | undefined>
  /** The last words before the connection closes. */
  fatal(refusal: Refusal): Buffer
  /** A remark the client shows without ending anything; absent where the protocol has none. */
  notice?(text: string): Buffer
}

/** Bytes in, bytes out, no I/O. The same Buffer back means "forward as it came"; an empty one, "nothing to send". */
export interface Relay {
  request(frame: Buffer): Buffer | Promise<Buffer>
  response(frame: Buffer): Buffer
}

export type Link = {
  readonly session: Session
  readonly server: Channel
  readonly relay: Relay
}

/** A socket that speaks in whole messages. */
export interface Channel {
  /** Aborted when the peer hangs up, even while nobody reads. */
  readonly gone: AbortSignal
  /** The next message, for the straight-line login; undefined at the end. */
  read(): Promise<Buffer | undefined>
  write(...frames: readonly Buffer[]): void
  end(): void
  close(): void
}
