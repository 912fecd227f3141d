import type { Node } from 'libpg-query'
import type { Mask, Output } from '../../../pdp/contract.ts'
import { Refusal } from '../../../pdp/refusal.ts'
import type { Catalogue } from '../catalogue.ts'
import { kept, weight } from '../kept.ts'
import { AGAIN_BYTES_MAX, isLonger } from '../read/limits.ts'
import { parse, type Trees } from '../read/parser.ts'
import { type Reread, reread } from '../rewrite/canonical.ts'
import { rewritten } from '../rewrite/rewrite.ts'
import { type Sealing, type Shields, shields } from '../rewrite/shield.ts'
import { sameTree } from '../rewrite/tree.ts'
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
export function sealedText(state: State, statement: Statement, mask: Mask, plan: Plan): Rewritten {
  const { command, searchPath } = statement
  if (searchPath === undefined)
    throw new Refusal('mask_impossible', 'the schemas of the statement are not known')
  const catalogue = state.catalogue.current()
  const { text = '' } = command
  const key = `${numberOf(mask)} ${catalogue.version} ${plan.key}${JSON.stringify(searchPath)}${text}`
  let made = known.get(key)
  if (made === undefined) {
    made = attempt(statement, searchPath, { mask, plan, catalogue })
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
  statement: Statement,
  searchPath: readonly string[],
  around: Around,
): Rewritten | Refusal {
  const { text = '' } = statement.command
  const { mask, plan, catalogue } = around
  const sealing: Sealing = {
    catalogue,
    library: catalogue.library,
    searchPath,
    mask,
    sealed: plan.sealed,
    filters: plan.filters,
    backed: true,
  }
  try {
    const shield = shieldsOf(around, sealing)
    const small = statement.thin ?? treeOf(text)
    if (small === undefined) return unread
    const changed = rewritten(small, sealing, shield)
    const asItIs = unchanged(statement, sameTree(small, changed))
    if (asItIs !== undefined) return asItIs
    if (isLonger(text, AGAIN_BYTES_MAX)) return tooLong
    const whole = statement.thin === undefined ? undefined : treeOf(text)
    const made = reread(whole === undefined ? changed : rewritten(whole, sealing, shield))
    if (made.text === undefined) return new Refusal('mask_impossible', made.problem)
    return { text: made.text, outputs: outputsOf(made, { catalogue, searchPath }) }
  } catch (error) {
    if (error instanceof Refusal) return error
    // Deeper than this thread's stack.
    if (error instanceof RangeError) return new Refusal('mask_impossible', 'it is too deep to seal')
    throw error
  }
}

/** The only statement of a text. */
function treeOf(text: string): Node | undefined {
  const [only, ...others] = parse(text).statements ?? []
  return others.length === 0 ? only?.stmt : undefined
}

const unread = new Refusal(
  'mask_impossible',
  'the statement cannot be read, so that it cannot be sealed',
)
const tooLong = new Refusal(
  'mask_impossible',
  `a statement longer than ${AGAIN_BYTES_MAX} bytes cannot be sealed where that changes it`,
  { remedy: 'Send it in parts.' },
)

type Known = { readonly plan: string; readonly catalogue: Catalogue; readonly shield: Shields }

/** What is hidden under the masks that were asked for last. */
const shieldings = new WeakMap<Mask, Known>()

function shieldsOf({ mask, plan, catalogue }: Around, sealing: Sealing): Shields {
  const known = shieldings.get(mask)
  if (known?.plan === plan.key && known.catalogue === catalogue) return known.shield
  const shield = shields(sealing)
  shieldings.set(mask, { plan: plan.key, catalogue, shield })
  return shield
}

/** What is not rewritten runs as it was written out; rows that `thin` left out change like those it kept. */
function unchanged({ upstream, command }: Statement, same: boolean): Rewritten | undefined {
  if (!same || upstream === undefined) return undefined
  return { text: upstream, outputs: command.incomplete === undefined ? command.outputs : undefined }
}

/** Nothing where it cannot be told: then what the server computes is covered. */
function outputsOf(
  { text, trees }: Extract<Reread, { readonly trees: Trees }>,
  where: Pick<Scope, 'searchPath' | 'catalogue'>,
): readonly Output[] | undefined {
  const none = () => undefined
  const [only] = read(text, { ...where, prepared: none, cursor: none }, trees)
  return only?.command.incomplete === undefined ? only?.command.outputs : undefined
}
