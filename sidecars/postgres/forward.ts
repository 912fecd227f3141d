import { text } from './frames.ts'
import type { Sent } from './position.ts'
import type { Run } from './run.ts'

/** What goes upstream, and which text it is in place of; undefined where the client's own runs. */
export type Forwarded = { readonly frame: Buffer; readonly sent: Sent | undefined }

/**
 * The one place that chooses what goes upstream for an allowed Query or Parse, whose text begins at `at`: what was
 * written out from the tree that was judged, or what that was rewritten to. Only a text that could not be read, and
 * that policy lets run in spite of that, goes as it came.
 */
export function forwarded(frame: Buffer, at: number, runs: readonly Run[]): Forwarded {
  const statements = runs.map(({ statement }) => statement)
  if (statements.every(({ upstream }) => upstream === undefined)) return { frame, sent: undefined }
  const texts = statements.map(({ upstream, command }) => upstream ?? command.text ?? '')
  // A comment may end a text that was not rewritten.
  const upstream = texts.join('\n;')
  const [own, end] = text(frame, at)
  const head = frame.subarray(0, at)
  const made = Buffer.concat([head, Buffer.from(upstream), frame.subarray(end - 1)])
  made.writeUInt32BE(made.length - 1, 1)
  return { frame: made, sent: { own, upstream } }
}
