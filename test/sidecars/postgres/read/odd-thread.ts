/** A thread that does to a text what the text says. */
import { parentPort } from 'node:worker_threads'

parentPort?.on('message', (text: string) => {
  if (text === 'hang') for (;;);
  if (text === 'throw') throw new Error('as it was told')
  if (text === 'leave') process.exit(1)
  const full: string[][] = []
  while (text === 'fill') full.push(new Array<string>(100_000).fill(`${full.length}`))
  parentPort?.postMessage({
    tree: JSON.stringify({ stmts: [{ stmt_len: process.pid, stmt_location: tid() }] }),
    each: [{ written: { text }, shape: text, placeholder: false }],
    hurt: text === 'hurt',
  })
})
parentPort?.postMessage('ready')

let read = 0
/** How many texts this thread has read. */
function tid(): number {
  read += 1
  return read
}
