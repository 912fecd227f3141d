/** The thread that keeps the index and answers searches, so that neither ever holds up a command. */
import { parentPort, workerData } from 'node:worker_threads'
import { refusalOf } from '../refusal.ts'
import { openFinder } from './finder.ts'
import type { AuditQuery } from './query.ts'

const restMs = 200
// At most a quarter of a core goes into the index: commands need the others.
const restShare = 3
// A search sees what was recorded before it, unless the index is this far behind.
const catchUpMs = 1000

const port = parentPort
const finder = openFinder(String(workerData))

port?.on('message', (asked: { readonly id: number; readonly query: AuditQuery }) => {
  try {
    for (const endMs = Date.now() + catchUpMs; Date.now() < endMs && finder.advance(); );
    port.postMessage({ id: asked.id, page: finder.find(asked.query) })
  } catch (error) {
    const { code, message } = refusalOf(error)
    port.postMessage({ id: asked.id, refusal: { code, message } })
  }
})

feed()

function feed(): void {
  const startMs = performance.now()
  const behind = more()
  setTimeout(feed, behind ? (performance.now() - startMs) * restShare : restMs)
}

// Another process may be feeding the same index: then it does the work.
function more(): boolean {
  try {
    return finder.advance()
  } catch {
    return false
  }
}
