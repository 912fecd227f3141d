import type { Catalogue, Relation, ViewFacts } from '../../sql/catalogue.ts'
import { analyse } from './analyse.ts'
import { problem } from './limits.ts'
import { parse } from './parser.ts'

/** What a view's query reads and shows; undefined where it cannot be read to the end. */
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
    if (incomplete !== undefined) return undefined
    const columns = outputs?.length === relation.columns.length ? outputs : undefined
    return {
      reads: command.objects,
      columns,
      decides: command.predicates ?? [],
      executes: command.effects.includes('execute'),
    }
  } catch {
    return undefined
  }
}
