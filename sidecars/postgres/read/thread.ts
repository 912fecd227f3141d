/** The thread that reads large statements, so that none of them holds up a session that did not send it. */
import { parentPort } from 'node:worker_threads'
import { type Canonical, writtenOut } from '../rewrite/canonical.ts'
import { hurt, parsed, ready } from './parser.ts'
import { shape } from './shape.ts'
import { slices } from './slices.ts'

/** What the thread says of one text: its tree as JSON, and of each statement what `threads.Apart` has; or what is wrong with it. */
export type Told = (Whole | { readonly problem: string; readonly tree?: undefined }) & {
  readonly hurt: boolean
}

type Whole = {
  readonly tree: string
  readonly written: readonly Canonical[]
  readonly shapes: readonly (string | undefined)[]
}

/** The loop of commands has to take the tree in at one go: about ten times the largest text that is ordinary. */
const treeCharsMax = 3 * 1024 * 1024

const port = parentPort
await ready
port?.on('message', (text: string) => port.postMessage({ ...told(text), hurt: hurt() }))
port?.postMessage('ready')

function told(text: string): Whole | { readonly problem: string } {
  const trees = parsed(text)
  if (trees.statements === undefined) return trees
  const tree = JSON.stringify(trees.statements)
  if (tree.length > treeCharsMax) return { problem: 'it has too many parts' }
  const each = [...slices(text, trees.statements)]
  return {
    tree,
    written: each.map(({ node }) => writtenOut(node, trees)),
    shapes: each.map(({ slice }) => shape(slice, text, trees)),
  }
}
