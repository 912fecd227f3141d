import type { OpenCourt } from '../../court.ts'
import { type DecisionLog, openDecisionLog } from '../../export/decision-log.ts'
import type { Log } from '../../log.ts'
import { labelsOf } from './opa.ts'
import type { Serving } from './serving.ts'

/** How long a gate that stops may take to send what is there. */
const lastWordsMs = 3_000

/** Decisions on their way to a receiver, where the settings name one. */
export type Sending = { readonly decisionLog: DecisionLog | undefined; close(): Promise<void> }

/** Starts to send decisions. Throws an Error when the position of delivery cannot be read. */
export function sending(
  serving: Serving,
  { court, journal }: { readonly court: OpenCourt; readonly journal: Log },
): Sending {
  const { audit, decisionLogs } = serving.settings
  if (decisionLogs === undefined) return { decisionLog: undefined, close: async () => undefined }
  const { erased, masked, ...rest } = decisionLogs
  const decisionLog = openDecisionLog({
    ...rest,
    folder: audit.folder,
    entries: court.audit.status().entries,
    receiver: decisionLogs,
    events: { labels: labelsOf(serving), erased, masked },
    alarm(message, decision) {
      journal.warn('decision log', { problem: message, decision })
      court.audit.later({ kind: 'alarm', ...(decision && { decision_id: decision }), message })
    },
    failed: (error) => journal.error('decision log failed', {}, error),
  })
  return { decisionLog, close: () => decisionLog.close(lastWordsMs) }
}
