/** The thread that reads large statements, so that none of them holds up a session that did not send it. */
import { parentPort } from 'node:worker_threads'
import { writtenOut } from '../rewrite/canonical.ts'
import { holdsPlaceholder } from '../seal/own.ts'
import { hurt, parsed, ready, type Trees } from './parser.ts'
import { shape } from './shape.ts'
import { slices } from './slices.ts'
import { thin } from './thin.ts'
import type { Piece } from './threads.ts'

/** What the thread says of one text: its tree as JSON, thinned out, and what is known of each statement; or what is wrong. */
export type Told = (Whole | { readonly problem: string; readonly tree?: undefined }) & {
  readonly hurt: boolean
}

type Whole = { readonly tree: string; readonly each: readonly Piece[] }

/** What the loop of commands has to take in at one go. */
const treeCharsMax = 1024 * 1024

const port = parentPort
await ready
port?.on('message', (text: string) => port.postMessage({ ...told(text), hurt: hurt() }))
port?.postMessage('ready')

function told(text: string): Whole | { readonly problem: string } {
  const trees = parsed(text)
  if (trees.statements === undefined) return trees
  const tree = thinned(trees)
  if (tree.length > treeCharsMax) return { problem: 'it has too many parts' }
  const each = [...slices(text, trees.statements)].map(({ node, slice }) => ({
    written: writtenOut(node, trees),
    shape: shape(slice, text, trees),
    placeholder: holdsPlaceholder(slice, node),
  }))
  return { tree, each }
}

/** Most texts have no VALUES: what the parser wrote of them is what is left. */
function thinned({ json, statements }: Trees): string {
  return json.includes('"valuesLists"') ? JSON.stringify({ stmts: thin(statements) }) : json
}
