/** The thread that carries decisions from the record to a receiver, so that no command waits for it. */
import { setTimeout as rest } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { reachOf } from '../commands/reach.ts'
import type { Said, Task } from './decision-log.ts'
import { receiver } from './receiver.ts'
import { shipper } from './shipper.ts'

const idleMs = 200
// At most half a core while there is much to catch up with: commands need the others.
const restShare = 1
const retryMsFirst = 500
const retryMsMax = 60_000
const tellMs = 1_000

const { delayMs, ...task } = workerData as Task
const { url, timeoutMs, ...how } = task.receiver
const shipping = shipper({
  ...task,
  receiver: receiver({ ...reachOf(url, how), ...(timeoutMs !== undefined && { timeoutMs }) }),
  alarm: (text, decision) => say({ kind: 'alarm', text, ...(decision && { decision }) }),
})
let failed = 0
let toldMs = 0
let dueMs = Number.POSITIVE_INFINITY
let ending = false

parentPort?.once('message', () => {
  ending = true
})

await carry()
tell()
say({ kind: 'ended' })
parentPort?.close()

/** Until told to end: then what is there is sent if the receiver takes it at once. */
async function carry(): Promise<void> {
  for (;;) {
    const startMs = performance.now()
    const more = shipping.read()
    if (shipping.waiting()) dueMs = Math.min(dueMs, performance.now() + delayMs)
    if (shipping.full() || (shipping.waiting() && (ending || performance.now() >= dueMs))) {
      if (!(await sent())) return
    } else if (!more && ending) return
    else await pause(more ? (performance.now() - startMs) * restShare : idleMs)
    if (performance.now() - toldMs > tellMs) tell()
  }
}

/** False when there is no time for another attempt. */
async function sent(): Promise<boolean> {
  if (await shipping.send()) {
    failed = 0
    if (!shipping.waiting()) dueMs = Number.POSITIVE_INFINITY
    return true
  }
  tell()
  if (ending) return false
  failed += 1
  const waitMs = Math.min(retryMsFirst * 2 ** Math.min(failed - 1, 20), retryMsMax)
  // Gates that lost the same receiver shall not come back all at once.
  await pause(waitMs * (0.5 + Math.random() / 2))
  return true
}

/** Rests in short pieces, so that the end is not waited for. */
async function pause(ms: number): Promise<void> {
  const untilMs = performance.now() + ms
  while (!ending && performance.now() < untilMs) {
    await rest(Math.min(idleMs, untilMs - performance.now()))
    if (performance.now() - toldMs > tellMs) tell()
  }
}

function tell(): void {
  toldMs = performance.now()
  say({ kind: 'status', shipped: shipping.status() })
}

function say(said: Said): void {
  parentPort?.postMessage(said)
}
