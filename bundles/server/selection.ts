/** Which gates a canary is for. */
import { createHash } from 'node:crypto'

/** A gate as it calls itself: it gets one of two signed bundles, so nothing more than that depends on it. */
export type GateName = {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

/** A share of all gates in percent, or the gates that carry all of these labels. */
export type Selection =
  | { readonly kind: 'share'; readonly percent: number }
  | { readonly kind: 'labels'; readonly labels: Readonly<Record<string, string>> }

const labelsMax = 10
const word = /^[\w.-]{1,100}$/

/** Reads `share=10`, `env=staging` or `env=staging,team=shop`. Throws an Error that says what to write. */
export function selectionOf(text: string): Selection {
  const pairs = text.split(',').map((pair) => pair.split('='))
  const fix = 'write share=1 to share=99, or labels as in env=staging,team=shop'
  if (pairs.length > labelsMax) throw new Error(`at most ${labelsMax} labels: ${fix}`)
  for (const [label = '', value = '', more] of pairs)
    if (!word.test(label) || !word.test(value) || more !== undefined)
      throw new Error(`the canary ${JSON.stringify(text.slice(0, 100))} selects nothing: ${fix}`)
  const labels = Object.fromEntries(pairs.map(([label = '', value = '']) => [label, value]))
  if (Object.keys(labels).length < pairs.length) throw new Error(`a label is named twice: ${fix}`)
  const { share } = labels
  if (share === undefined) return { kind: 'labels', labels }
  if (pairs.length > 1 || !/^[1-9]\d?$/.test(share)) throw new Error(`share is alone: ${fix}`)
  return { kind: 'share', percent: Number(share) }
}

/** The text that `selectionOf` reads. */
export function selectionText(selection: Selection): string {
  if (selection.kind === 'share') return `share=${selection.percent}`
  return Object.entries(selection.labels)
    .map((pair) => pair.join('='))
    .sort()
    .join(',')
}

/** Whether a gate is one of them. A share is stable: a larger one holds every gate of a smaller one. */
export function selects(selection: Selection, bundle: string, gate: GateName | undefined): boolean {
  if (gate === undefined) return false
  if (selection.kind === 'share') return percentile(bundle, gate.name) < selection.percent
  return Object.entries(selection.labels).every(
    ([label, value]) => Object.hasOwn(gate.labels, label) && gate.labels[label] === value,
  )
}

/** Whether a canary that grows from one selection to the other loses no gate. */
export function widens(from: Selection, to: Selection): boolean {
  if (from.kind === 'share' && to.kind === 'share') return to.percent >= from.percent
  return selectionText(from) === selectionText(to)
}

/** A number from 0 to 99.99 that belongs to this gate and this bundle for good. */
function percentile(bundle: string, gate: string): number {
  const hash = createHash('sha256').update(`${bundle}\0${gate}`).digest()
  return (hash.readUInt32BE(0) % 10_000) / 100
}
