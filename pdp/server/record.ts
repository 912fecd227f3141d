import type { Request } from 'express'
import type { Audit } from '../parts.ts'
import { refusalOf } from '../refusal.ts'
import { caller } from './caller.ts'

export type Action = { readonly action: string; readonly [field: string]: unknown }

/** Does `work` once it is on record who asked for it; a record that cannot be written means no. */
export async function onRecord<Value>(
  audit: Audit,
  request: Pick<Request, 'socket'>,
  action: Action,
  work: () => Value | Promise<Value>,
): Promise<Value> {
  const { id, issuer, groups, actor } = caller(request)
  const entry = {
    kind: 'admin',
    ...action,
    subject: id,
    issuer,
    groups,
    ...(actor !== null && { actor: actor.id }),
    peer: request.socket.remoteAddress,
  } as const
  await audit.append(entry)
  try {
    return await work()
  } catch (error) {
    audit.later({ ...entry, refused: refusalOf(error).code })
    throw error
  }
}
