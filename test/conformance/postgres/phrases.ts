import * as m from '../../sidecars/postgres/messages.ts'
import type { Phrase } from '../fixture.ts'

/** A phrase of some messages, answered as often as there is a Query or a Sync in it. */
export function phrase(
  name: string,
  frames: readonly Buffer[],
  instead?: readonly Buffer[],
  answers = frames.filter((frame) => frame[0] === 0x51 || frame[0] === 0x53).length,
): Phrase {
  return {
    name,
    bytes: Buffer.concat(frames),
    answers,
    ...(instead && { instead: Buffer.concat(instead) }),
  }
}

/** A simple query, named by its text. */
export const simple = (sql: string, name = sql): Phrase => phrase(name, [m.query(sql)])
/** The extended protocol with a description, in text or in binary format. */
export const extended = (sql: string, binary = false): Phrase =>
  phrase(`${binary ? 'binary' : 'extended'}: ${sql}`, [
    m.parse('', sql),
    m.describe('S'),
    m.bind('', '', [], binary ? 1 : 0),
    m.execute(),
    m.sync,
  ])
/** An Execute that nobody described before. */
export const blind = (sql: string): Phrase => phrase(`undescribed: ${sql}`, [...m.run(sql), m.sync])
