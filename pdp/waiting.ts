import { Refusal } from './refusal.ts'

/** How a wait came to its end. */
export type End<Answer> =
  | { readonly at: 'answer'; readonly answer: Answer }
  | { readonly at: 'late' }
  | { readonly at: 'abandoned'; readonly refusal: Refusal }

/** Waits for `answer`, for `waitMs` at most, and no longer than all signals stay silent. Leaves no timer or listener behind. */
export async function waitFor<Answer>(
  answer: Promise<Answer>,
  waitMs: number,
  signals: readonly AbortSignal[],
): Promise<End<Answer>> {
  const first = Promise.withResolvers<End<Answer>>()
  const abandon = (): void => first.resolve({ at: 'abandoned', refusal: reasonOf(signals) })
  const timer = setTimeout(() => first.resolve({ at: 'late' }), waitMs)
  for (const signal of signals) signal.addEventListener('abort', abandon)
  if (signals.some((signal) => signal.aborted)) abandon()
  answer.then((value) => first.resolve({ at: 'answer', answer: value }), first.reject)
  try {
    return await first.promise
  } finally {
    clearTimeout(timer)
    for (const signal of signals) signal.removeEventListener('abort', abandon)
  }
}

/** The refusal of the first signal that was given one, else `hold_abandoned`. */
export function reasonOf(signals: readonly AbortSignal[]): Refusal {
  const reason = signals.find((signal) => signal.aborted)?.reason
  return reason instanceof Refusal ? reason : new Refusal('hold_abandoned')
}
