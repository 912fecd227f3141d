/** The thread that reads large statements, so that none of them holds up a session that did not send it. */
import { parentPort } from 'node:worker_threads'
import { type Canonical, canonical } from '../rewrite/canonical.ts'
import { hurt, parsed, ready } from './parser.ts'

/** What the thread says of one text: its tree as JSON, and each of its statements written out; or what is wrong with it. */
export type Told =
  | { readonly tree: string; readonly written: readonly Canonical[]; readonly hurt: boolean }
  | { readonly problem: string; readonly tree?: undefined; readonly hurt: boolean }

/** The loop of commands has to take the tree in at one go: about ten times the largest text that is ordinary. */
const treeCharsMax = 3 * 1024 * 1024

const port = parentPort
await ready
port?.on('message', (text: string) => port.postMessage({ ...told(text), hurt: hurt() }))
port?.postMessage('ready')

function told(text: string): object {
  const { statements, problem } = parsed(text)
  if (statements === undefined) return { problem }
  const tree = JSON.stringify(statements)
  if (tree.length > treeCharsMax) return { problem: 'it has too many parts' }
  const nodes = statements.flatMap(({ stmt }) => (stmt === undefined ? [] : [stmt]))
  return { tree, written: nodes.map(canonical) }
}
