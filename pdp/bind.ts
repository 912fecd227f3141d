import { createHash } from 'node:crypto'
import type { Actor, Command, Context, HoldRule, Resource, Subject } from './contract.ts'

/** Everything an approval can be bound to. */
export type Bound = {
  readonly bind: HoldRule['bind']
  readonly session: string
  readonly subject: Subject
  readonly resource: Resource
  readonly context: Context
  readonly command: Command
  readonly parameters: readonly (string | null)[]
}

/**
 * SHA-256 (hex) over who asks, where, and what an approval covers: the command as policy saw it with its parameters
 * (`exact`), its shape if its protocol has one (`shape`), or the session.
 */
export function digestOf(bound: Bound): string {
  const { subject, resource, context } = bound
  const asker = [resource.id, subject.issuer, subject.id, JSON.stringify(actorIds(subject))]
  const hash = createHash('sha256')
  // Length-prefixed, so that no part can be made to look like two.
  for (const part of [...asker, context.database, context.user, ...covered(bound)])
    hash.update(`${Buffer.byteLength(part)}:`).update(part)
  return hash.digest('hex')
}

/** The ids of everybody acting for the subject, nearest first. */
export function actorIds(subject: Subject): readonly string[] {
  const ids: string[] = []
  for (let actor: Actor | null = subject.actor; actor !== null; actor = actor.actor)
    ids.push(actor.id)
  return ids
}

function covered({ bind, session, command, parameters }: Bound): readonly string[] {
  if (bind === 'session') return ['session', session]
  const shape = bind === 'shape' ? shapeOf(command) : undefined
  // With what it touches, because one text can mean different tables under different search paths.
  if (shape !== undefined) {
    const { name, effects, objects } = command
    return ['shape', shape, JSON.stringify([name, effects, objects, command['state']])]
  }
  return ['exact', JSON.stringify(command), JSON.stringify(parameters)]
}

/** The command without its constants, where its protocol's facts hold such a text. */
function shapeOf(command: Command): string | undefined {
  for (const [family, facts] of Object.entries(command)) {
    const shape = typeof facts === 'object' && facts !== null && 'shape' in facts && facts.shape
    if (typeof shape === 'string') return `${family}:${shape}`
  }
  return undefined
}
