/** What a gate says of itself to the bundle server; snake_case because it leaves the process. */
import * as z from 'zod'

const text = z.string().max(500)
const time = z.number().nonnegative()

export const reportShape = z.strictObject({
  version: z.string().max(100),
  labels: z
    .record(z.string().regex(/^[\w.-]{1,100}$/), z.string().regex(/^[\w.-]{1,100}$/))
    .refine((labels) => Object.keys(labels).length <= labelsMax, 'has too many labels'),
  bundle: z.strictObject({
    name: z.string().max(100),
    revision: text.optional(),
    digest: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional(),
    sequence: z.int().nonnegative().optional(),
    /** Seconds since its source last confirmed the bundle. */
    age_s: time.optional(),
    /** The gate refuses everything because of it. */
    stale: z.boolean(),
    /** Why no newer one came. */
    error: text.optional(),
  }),
})

export const labelsMax = 20

/** How often a gate reports when nothing changes, in milliseconds. */
export const reportEveryMs = 30_000

export type Report = z.infer<typeof reportShape>
