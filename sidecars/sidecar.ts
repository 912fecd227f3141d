import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
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
  /** The largest message taken from either side, in bytes; 16 MiB when not given. */
  readonly frameBytesMax?: number
}

/** A protocol made of length-delimited messages. wire() turns it into a Sidecar. */
export interface Wire {
  readonly protocol: string
  readonly port: number
  readonly capabilities: readonly string[]
  readonly length: Length
  /** Straight-line login: token from the client, credential to the server. Undefined when there is nothing to relay. */
  login(client: Channel, gate: Gate, door: Door): Promise<Link | undefined>
  /** The last words before the connection closes. */
  fatal(refusal: Refusal): Buffer
  /** A remark the client shows without ending anything; absent where the protocol has none. */
  notice?(text: string): Buffer
}

/** Length of the message at `at`; 0 while it cannot be told yet. Throws Malformed. */
export type Length = (bytes: Buffer, at: number) => number

/** Bytes in, bytes out, no I/O. The same Buffer back means "forward as it came"; an empty one, "nothing to send". */
export interface Relay {
  request(frame: Buffer): Buffer | Promise<Buffer>
  response(frame: Buffer): Buffer
  /** What the next `response` has to wait for; it never rejects. */
  held?(): Promise<void> | undefined
  /** Whether the client has said goodbye, so that the server may close without a word. */
  left?(): boolean
}

export type Link = {
  readonly session: Session
  readonly server: Channel
  readonly relay: Relay
  /** The connection is over: cancels what still runs and reports what has no outcome yet. Called once. */
  closed?(): void
}

/** A socket that speaks in whole messages: pulled one by one during login, pushed once relaying. */
export interface Channel {
  /** Aborted when the peer hangs up, even while nobody reads. */
  readonly gone: AbortSignal
  /** The next message; undefined at the end. Throws Malformed, and Refusal `message_too_large`. */
  read(reading?: Reading): Promise<Buffer | undefined>
  /** The first byte not read yet, left where it is; undefined at the end. */
  peek(): Promise<number | undefined>
  /**
   * Wraps the socket in TLS and waits for the handshake. Bytes that came before it are refused, unless
   * `direct`: then they are the handshake's own first bytes. Throws Malformed.
   */
  secure(wrap: (socket: Duplex) => TLSSocket, direct?: boolean): Promise<TLSSocket>
  /** Sends; false when so much waits to be sent that the caller should stop until `drained`. */
  write(bytes: Buffer): boolean
  /** Calls back once, when little enough waits to be sent. */
  drained(go: () => void): void
  /** From now on every message goes to `taker`; nothing is read any more with `read`. */
  flow(taker: Taker): void
  /** Goes on after `take` answered false or `stop` was called. */
  go(): void
  /** Takes nothing more until `go`; a bounded amount is still read ahead, so that a hang-up is noticed. */
  stop(): void
  /** Sends what waits, then closes; cuts the connection when the peer does not take it in time. */
  end(): void
  close(): void
}

export type Reading = { readonly length?: Length; readonly bytesMax?: number }

/** Who takes a channel's messages once the login is over. */
export interface Taker {
  /** Takes one message; false stops the flow until `go`. The Buffer is lent for good: nobody else writes to it. */
  take(frame: Buffer): boolean
  /** Every message of one read has been taken, or the flow has stopped. */
  flush(): void
  /** The peer is done or broke its protocol; called once, after the last message was taken. */
  end(problem?: unknown): void
}
