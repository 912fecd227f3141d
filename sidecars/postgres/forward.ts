import type { Run } from './run.ts'

/**
 * The one place that chooses what goes upstream for an allowed Query or Parse, whose text begins at `at`: the very
 * bytes that were judged, or what they were rewritten to.
 */
export function upstreamFrame(frame: Buffer, at: number, runs: readonly Run[]): Buffer {
  const statements = runs.map(({ statement }) => statement)
  if (statements.every(({ upstream }) => upstream === undefined)) return frame
  const texts = statements.map(({ upstream, command }) => upstream ?? command.text ?? '')
  // A comment may end a text that was not rewritten.
  const written = Buffer.from(texts.join('\n;'))
  const made = Buffer.concat([frame.subarray(0, at), written, frame.subarray(frame.indexOf(0, at))])
  made.writeUInt32BE(made.length - 1, 1)
  return made
}
