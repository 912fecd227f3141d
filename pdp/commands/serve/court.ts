import { type OpenCourt, openCourt } from '../../court.ts'
import type { Observe } from '../../parts.ts'
import { secretAt } from '../parts.ts'
import type { Serving } from './serving.ts'

/** What all listeners decide with; whatever happens there is told to `hearers`. */
export async function courtOf(
  { settings, version, env }: Serving,
  hearers: readonly Observe[],
): Promise<OpenCourt> {
  const { state, audit, bundle, holds, masking } = settings
  const { folder, durability, key, segmentBytesMax } = audit
  return openCourt({
    state,
    audit: { folder, durability, segmentBytesMax, ...(key !== undefined && { keyFile: key }) },
    engine: bundle.maxStaleMs === undefined ? {} : { staleAfterMs: bundle.maxStaleMs },
    holds,
    maskKey: masking.key && (await secretAt(masking.key, env)),
    labels: { version },
    observe(happening) {
      for (const hear of hearers) hear(happening)
    },
  })
}
