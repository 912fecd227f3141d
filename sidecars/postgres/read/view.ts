import type { Catalogue, Relation, ViewFacts } from '../../sql/catalogue.ts'
import { analyse } from './analyse.ts'
import { problem } from './limits.ts'
import { parse } from './parser.ts'

/** What a view's query reads and shows; undefined where it cannot be read to the end, or runs code that is not read. */
export function readView(
  relation: Relation,
  definition: string,
  catalogue: Catalogue,
): ViewFacts | undefined {
  if (problem(definition) !== undefined) return undefined
  const node = parse(definition).statements?.[0]?.stmt
  if (node === undefined) return undefined
  const none = () => undefined
  const around = { catalogue, searchPath: [], prepared: none, cursor: none }
  try {
    const { command } = analyse({ node, text: '', shape: undefined }, around)
    const { outputs, incomplete } = command
    if (incomplete !== undefined || outputs?.length !== relation.columns.length) return undefined
    return { reads: command.objects, columns: outputs }
  } catch {
    return undefined
  }
}
