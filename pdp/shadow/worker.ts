/** The thread in which a candidate answers again what was asked: it reads the record, so no command waits for it. */
import { setTimeout as rest } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { headerOf } from '../audit/line.ts'
import { folderLines } from '../audit/lines.ts'
import { type Replay, replay } from '../impact/replay.ts'
import type { Said, Task } from './shadow.ts'

const idleMs = 200
// At most a quarter of a core: commands need the others.
const restShare = 3
const sliceLines = 50
const reportMs = 1_000

const { folder, candidate } = workerData as Task

// Before anything is said: what is recorded once the candidate runs is compared.
const lines = folderLines(folder, 'end')
const replaying = await loaded()
if (replaying !== undefined) await follow(replaying)

async function loaded(): Promise<Replay | undefined> {
  try {
    const ready = await replay({ ...candidate, wasm: Buffer.from(candidate.wasm) })
    say({ kind: 'ready' })
    return ready
  } catch (error) {
    say({
      kind: 'refused',
      problem: error instanceof Error ? error.message : 'it cannot be loaded',
    })
    return undefined
  }
}

async function follow(candidate: Replay): Promise<never> {
  let through: string | undefined
  let count = 0
  let sliceMs = performance.now()
  let reportedMs = 0
  for (;;) {
    for await (const { bytes } of lines.toEnd()) {
      candidate.line(bytes.toString())
      through = headerOf(bytes)?.timestamp ?? through
      if (++count % sliceLines !== 0) continue
      tell()
      await rest((performance.now() - sliceMs) * restShare)
      sliceMs = performance.now()
    }
    tell()
    await rest(idleMs)
    sliceMs = performance.now()
  }

  function tell(): void {
    const nowMs = performance.now()
    if (nowMs - reportedMs < reportMs) return
    reportedMs = nowMs
    say({ kind: 'report', report: candidate.report(), through })
  }
}

function say(said: Said): void {
  parentPort?.postMessage(said)
}
