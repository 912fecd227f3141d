/** The settings of decision logs: where decisions are sent besides the record. */
import { resolve } from 'node:path'
import { z } from 'zod'
import { auth, isServer } from './bundles.ts'
import { type At, reachOf } from './places.ts'
import type { Document } from './schema.ts'
import { number, path, pattern } from './words.ts'

const pointers = z
  .array(
    pattern(
      /^\/(input|result)(\/([^~/]|~[01])*)*$/,
      'give a JSON pointer below /input or /result, as in /input/action/text',
    ),
    'give a list of JSON pointers, as in [/input/action/text]',
  )
  .max(100)
  .default([])

/** `decision_logs`: a receiver of OPA's decision logs. */
export const decisionLogs = z.strictObject(
  {
    url: z
      .string('give the URL of the receiver, without /logs')
      .refine(isServer, 'give an https URL without user (http on loopback only)'),
    auth: auth.refine(({ aws }) => aws === undefined, 'give one of bearer, basic, tls').optional(),
    ca: path.optional(),
    erased: pointers,
    masked: pointers,
    delay_s: number(1, 600, 'give seconds from 1 to 600').default(5),
    upload_bytes_max: number(4_096, 1_048_576, 'give bytes from 4096 to 1048576').default(32_768),
    alarm_after_s: number(10, 86_400, 'give seconds from 10 to 86400').default(300),
  },
  'give url, auth, ca, erased, masked, delay_s, upload_bytes_max, alarm_after_s',
)

/** With absolute paths, and where the position of delivery is kept. */
export function decisionLogsOf({ decision_logs }: Document, state: string, at: At) {
  if (decision_logs === undefined) return undefined
  const { url, auth, ca, erased, masked, delay_s, upload_bytes_max, alarm_after_s } = decision_logs
  return {
    url,
    ...reachOf({ auth, ca }, at),
    erased,
    masked,
    delayMs: delay_s * 1000,
    uploadBytesMax: upload_bytes_max,
    alarmAfterMs: alarm_after_s * 1000,
    positionFile: resolve(state, 'decision-logs', 'position.json'),
  }
}
