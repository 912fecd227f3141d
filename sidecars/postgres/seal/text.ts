import type { Mask, Output } from '../../../pdp/contract.ts'
import { Refusal } from '../../../pdp/refusal.ts'
import type { Catalogue } from '../catalogue.ts'
import { kept, weight } from '../kept.ts'
import { parse } from '../read/parser.ts'
import { rewrite } from '../rewrite/rewrite.ts'
import type { State } from '../state.ts'
import { read, type Scope, type Statement } from '../statement.ts'
import type { Plan } from './plan.ts'

/** Texts of all sessions, in bytes. */
const keptBytesMax = 8 * 1024 * 1024

/** What runs in place of a statement, and where its answer comes from. */
export type Rewritten = { readonly text: string; readonly outputs: readonly Output[] | undefined }

const known = kept<Rewritten | Refusal>(keptBytesMax)
/** Each set of masks has a number, which no other ever gets. */
const numbers = new WeakMap<Mask, number>()
let masks = 0

/** What runs in place of a statement under these masks. Throws Refusal. */
export function rewritten(state: State, statement: Statement, mask: Mask, plan: Plan): Rewritten {
  const { command, searchPath } = statement
  if (searchPath === undefined)
    throw new Refusal('mask_impossible', 'the schemas of the statement are not known')
  const catalogue = state.catalogue.current()
  const { text = '' } = command
  const key = `${numberOf(mask)} ${catalogue.version} ${plan.key}${JSON.stringify(searchPath)}${text}`
  let made = known.get(key)
  if (made === undefined) {
    made = attempt(searchPath, text, { mask, plan, catalogue })
    known.set(key, made, made instanceof Refusal ? weight(made.message) : weight(made))
  }
  if (made instanceof Refusal) throw made
  return made
}

function numberOf(mask: Mask): number {
  const known = numbers.get(mask)
  if (known !== undefined) return known
  masks += 1
  numbers.set(mask, masks)
  return masks
}

type Around = { readonly mask: Mask; readonly plan: Plan; readonly catalogue: Catalogue }

function attempt(
  searchPath: readonly string[],
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
  where: Pick<Scope, 'searchPath' | 'catalogue'>,
): readonly Output[] | undefined {
  const none = () => undefined
  const [only] = read(text, { ...where, prepared: none, cursor: none })
  return only?.command.incomplete === undefined ? only?.command.outputs : undefined
}
