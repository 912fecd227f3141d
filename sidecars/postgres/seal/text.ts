import type { Mask, Output } from '../../../pdp/contract.ts'
import { Refusal } from '../../../pdp/refusal.ts'
import type { Catalogue } from '../catalogue.ts'
import { parse } from '../read/parser.ts'
import { rewrite } from '../rewrite/rewrite.ts'
import type { State } from '../state.ts'
import { read, type Statement } from '../statement.ts'
import type { Plan } from './plan.ts'

/** Texts kept for each set of masks. */
const keptMax = 200

/** What runs in place of a statement, and where its answer comes from. */
export type Rewritten = { readonly text: string; readonly outputs: readonly Output[] | undefined }

/** One for each decision's masks, gone with them. */
const kept = new WeakMap<Mask, WeakMap<Catalogue, Map<string, Rewritten | Refusal>>>()

/** What runs in place of a statement under these masks. Throws Refusal. */
export function rewritten(state: State, { command }: Statement, mask: Mask, plan: Plan): Rewritten {
  const catalogue = state.catalogue.current()
  const byCatalogue = kept.get(mask) ?? new WeakMap<Catalogue, Map<string, Rewritten | Refusal>>()
  kept.set(mask, byCatalogue)
  const texts = byCatalogue.get(catalogue) ?? new Map<string, Rewritten | Refusal>()
  byCatalogue.set(catalogue, texts)
  const { text = '' } = command
  const key = `${plan.key}${state.pathKey}${text}`
  let made = texts.get(key)
  if (made === undefined) {
    made = attempt(state, text, { mask, plan, catalogue })
    if (texts.size >= keptMax) texts.delete(texts.keys().next().value ?? '')
    texts.set(key, made)
  }
  if (made instanceof Refusal) throw made
  return made
}

type Around = { readonly mask: Mask; readonly plan: Plan; readonly catalogue: Catalogue }

function attempt(
  { searchPath }: State,
  text: string,
  { mask, plan, catalogue }: Around,
): Rewritten | Refusal {
  const [only, ...others] = parse(text).statements ?? []
  if (only?.stmt === undefined || others.length > 0)
    return new Refusal(
      'mask_impossible',
      'the statement cannot be read, so that it cannot be sealed',
    )
  const { sealed: seals, filters } = plan
  const { library } = catalogue
  try {
    const made = rewrite(only.stmt, {
      catalogue,
      library,
      searchPath,
      mask,
      sealed: seals,
      filters,
      backed: true,
    })
    if (made.text === undefined) return new Refusal('mask_impossible', made.problem)
    return { text: made.text, outputs: outputsOf(made.text, { catalogue, searchPath }) }
  } catch (error) {
    if (error instanceof Refusal) return error
    // Deeper than this thread's stack.
    if (error instanceof RangeError) return new Refusal('mask_impossible', 'it is too deep to seal')
    throw error
  }
}

/** Nothing where it cannot be told: then what the server computes is covered. */
function outputsOf(
  text: string,
  where: Pick<State, 'searchPath'> & { readonly catalogue: Catalogue },
): readonly Output[] | undefined {
  const none = () => undefined
  const [only] = read(text, { ...where, prepared: none, cursor: none })
  return only?.command.incomplete === undefined ? only?.command.outputs : undefined
}
