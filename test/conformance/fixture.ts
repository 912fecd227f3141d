import type { Duplex } from 'node:stream'
import type { MaskRule } from '../../pdp/contract.ts'
import type { Sidecar } from '../../sidecars/sidecar.ts'

/** Everything the conformance suite has to be told about a protocol: its words, a real datastore, a client. */
export interface Fixture {
  readonly sidecar: Sidecar
  /** A datastore of its own; variants A and B differ in protected values only. */
  start(variant: Variant): Promise<Datastore>
  /**
   * A client that tells who it is over this transport, or with no token does not. Resolves when it was let in, or
   * turned away; a protocol without a login says nothing yet.
   */
  connect(transport: Duplex, token: string | undefined): Promise<Client>
  readonly says: Says
  /** What names the protected values in policy. */
  readonly masks: readonly MaskRule[]
  /** What a client saw, without what is new in every session: ids of decisions, keys, dates. */
  stable(seen: Buffer): string
  /** Whether all of a connection to the datastore is the gate's own, for nobody's session; none is when not given. */
  own?(sent: Buffer): boolean
  /** What this protocol does not have, and why. */
  readonly skip?: { readonly [Topic in Optional]?: { readonly reason: string } }
}

export type Variant = 'A' | 'B'

/** What a protocol may lack. */
export type Optional = 'early' | 'slow' | 'incomplete' | 'unmaskable' | 'probes'

/** A real datastore on loopback, spoken to in plain text so that what reaches it can be read. */
export interface Datastore {
  readonly port: number
  readonly username: string
  /** Holds the canary. */
  readonly secret: string
  /** Protected values as clients would see them without a mask. */
  readonly hidden: readonly string[]
  /** Whether the command with this mark still runs. */
  running(mark: string): Promise<boolean>
  stop(): Promise<void>
}

/**
 * What clients say. A mark is a word that must be in each phrase where policy sees it and the datastore gets it:
 * policy in these tests goes by the mark alone, and bytes are searched for it.
 */
export interface Says {
  /** Ways of saying something harmless. */
  allowed(mark: string): readonly Phrase[]
  /** Ways of saying something that is refused because of its mark, or hides such a thing. */
  refused(mark: string): readonly Phrase[]
  /** Ways of reading protected values that a mask can rewrite. */
  masked(mark: string): readonly Phrase[]
  /** Ways of reading them, or what was made of them, that no mask can rewrite. */
  unmaskable(mark: string): readonly Phrase[]
  /** Commands that nobody can read to the end. */
  incomplete(mark: string): readonly Phrase[]
  /** Message types that are not on the list, each with the mark inside. */
  unknown(mark: string): readonly Phrase[]
  /** Ways of saying something that runs until it is cancelled. */
  slow(mark: string): readonly Phrase[]
  /** Phrases whose answers may not tell variant A from variant B. */
  probes(): readonly Phrase[]
  /** What a client or somebody on the way could send before TLS is up, the login included. */
  early(token: string, mark: string): readonly Phrase[]
  /** A masked answer and a goodbye, to be cut at every byte together with the login. */
  short(mark: string): readonly Phrase[]
  /** What is allowed, masked, refused, pipelined, and a goodbye. */
  long(marks: Marks): readonly Phrase[]
}

export type Marks = { readonly allow: string; readonly deny: string; readonly mask: string }

/** Something said on an open connection. */
export type Phrase = {
  readonly name: string
  readonly bytes: Buffer
  /** How many answers it gets; 1 when not given. */
  readonly answers?: number
  /** Exactly what may go upstream in its place, where the protocol puts something there. */
  readonly instead?: Buffer
}

/** One client at work. */
export interface Client {
  /** The answer to its login; nothing where there is none. */
  readonly welcome: Said
  /** Everything it saw so far. */
  seen(): Buffer
  closed(): boolean
  /** Resolves with the whole answer, or with what came before the connection was closed. */
  say(phrase: Phrase): Promise<Said>
  /** Says it and does not wait. */
  send(phrase: Phrase): void
  hangUp(): void
}

/** What a client was answered. */
export type Said = {
  readonly bytes: Buffer
  /** The codes of refusals in it, as written in docs/errors.md or by a policy. */
  readonly refusals: readonly string[]
}
