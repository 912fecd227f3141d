import { int32, message } from '../../../sidecars/postgres/frames.ts'
import { fields } from '../../../sidecars/postgres/report.ts'
import { startupPacket } from '../../sidecars/postgres/client.ts'
import type { Reading } from '../client.ts'
import type { Phrase } from '../fixture.ts'

export const startup: Buffer = startupPacket({ user: 'ada', database: 'postgres' })
export const password = (token: string): Buffer => message('p', token)
export const sslRequest: Buffer = message('', int32(80_877_103))

/** Startup and token, sent at once; answered by the first ReadyForQuery. */
export const hello = (token: string): Phrase => ({
  name: 'login',
  bytes: Buffer.concat([startup, password(token)]),
})

/** Every whole message in some bytes; `N` of one byte, the answer to SSLRequest, is not one. */
function frames(bytes: Buffer): readonly Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 1 + bytes.readUInt32BE(at + 1)
    if (end > bytes.length) break
    found.push(bytes.subarray(at, end))
    at = end
  }
  return found
}

const letter = (frame: Buffer): string => String.fromCharCode(frame[0] ?? 0)

/** An answer ends with ReadyForQuery, or where rows of a COPY are wanted; a refusal is an error of ours, its code in DETAIL. */
export const reading: Reading = {
  answers: (seen) => frames(seen).filter((frame) => 'ZG'.includes(letter(frame))).length,
  refusals: (seen) =>
    frames(seen)
      .filter((frame) => letter(frame) === 'E')
      .map(fields)
      .filter(({ M = '' }) => M.startsWith('postern: ') && !M.includes('withheld'))
      .map(({ D = '' }) => /code (\w+)/.exec(D)?.[1] ?? 'none'),
}

/** As text, without cancel keys and the ids of decisions and sessions. */
export function stable(seen: Buffer): string {
  const shown = frames(seen).map((frame) =>
    letter(frame) === 'K' ? 'K' : frame.toString('latin1'),
  )
  const rest = seen.subarray(frames(seen).reduce((sum, frame) => sum + frame.length, 0))
  return [...shown, rest.toString('latin1')]
    .join('\n')
    .replaceAll(/(decision|session) [\w-]+/g, '$1 …')
}
