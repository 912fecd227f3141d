import { Refusal } from './refusal.ts'

/** Runs pieces of work one after the other, at most `max` at a time in the queue. Throws Refusal `state_unavailable` beyond. */
export function inOrder(max: number): <Result>(work: () => Promise<Result>) => Promise<Result> {
  let last: Promise<unknown> = Promise.resolve()
  let waiting = 0
  return async (work) => {
    if (waiting >= max) throw new Refusal('state_unavailable', 'too much is waiting for the state')
    waiting += 1
    const mine = last.then(work).finally(() => {
      waiting -= 1
    })
    last = mine.catch(() => undefined)
    return mine
  }
}
