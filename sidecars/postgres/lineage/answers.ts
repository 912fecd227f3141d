import type { Callable } from '../../sql/lineage/library.ts'
import { computed, either, type Field, shaped, type Value } from '../../sql/lineage/value.ts'
import type { Known } from './types.ts'
import { anyArray, anyElement, basic, ofType, RECORD } from './types.ts'

/** What a function answers. */
export type Answer = {
  readonly value: Value
  /** The columns it has in FROM, where it answers rows. */
  readonly columns?: readonly Field[]
  /** The name of its only column in FROM, where it has one of its own. */
  readonly name?: string
  /** It answers rows whose columns only the statement says. */
  readonly record?: true
}

/** What a function of this declaration answers when all of its answer comes from `base`. */
export function declared(known: Known, one: Callable, args: readonly Value[], base: Value): Answer {
  const [first] = one.out
  if (first !== undefined && one.out.length === 1) {
    const value = ofType(known, base, first.type)
    return first.name === '' ? { value } : { value, name: first.name }
  }
  if (first !== undefined) {
    const columns = one.out.map(({ name, type }, i) => ({
      name: name === '' ? `column${i + 1}` : name,
      value: anyElement.has(type) ? shapeOf(base, args[0]?.element) : ofType(known, base, type),
    }))
    return { value: shaped(base, columns, undefined), columns }
  }
  const value = given(known, one, args, base)
  if (value.fields !== undefined && isRow(known, one.gives)) {
    return { value, columns: value.fields }
  }
  return one.gives === RECORD && value.fields === undefined ? { value, record: true } : { value }
}

function isRow(known: Known, type: number): boolean {
  return anyElement.has(type) || basic(known.library, type)?.kind === 'composite'
}

/** Polymorphic answers have the shape of what went in (documentation 38.2.5). */
function given(known: Known, one: Callable, args: readonly Value[], base: Value): Value {
  if (!anyElement.has(one.gives) && !anyArray.has(one.gives)) return ofType(known, base, one.gives)
  const at = one.takes.findIndex((type) => anyElement.has(type) || anyArray.has(type))
  const arg = args[Math.min(at, args.length - 1)]
  if (at < 0 || arg === undefined) return base
  const element = anyArray.has(one.takes[at] ?? 0) ? arg.element : arg
  if (anyArray.has(one.gives))
    return element === undefined ? base : shaped(base, undefined, shapeOf(base, element))
  return shapeOf(base, element)
}

/** A value with the parts of another, each of which comes from all that the value comes from. */
export function shapeOf(base: Value, shape: Value | undefined): Value {
  if (shape === undefined || (shape.fields === undefined && shape.element === undefined))
    return base
  const part = computed(base)
  return shaped(
    base,
    shape.fields?.map(({ name, value }) => ({ name, value: computed(part, value) })),
    shape.element && computed(part, shape.element),
  )
}

/** One of several functions answered. Undefined columns where they differ: then only the statement can say. */
export function eitherAnswer(answers: readonly Answer[], base: Value): Answer {
  const [first] = answers
  if (first === undefined) return { value: base }
  if (answers.length === 1) return first
  const value = either(...answers.map((one) => one.value))
  const width = first.columns?.length
  if (answers.every((one) => one.columns?.length === width)) {
    const columns = first.columns?.map(({ name }, i) => ({
      name,
      value: either(...answers.map((one) => one.columns?.[i]?.value ?? base)),
    }))
    const record = answers.some((one) => one.record)
    return {
      value,
      ...(columns === undefined ? {} : { columns }),
      ...(record ? { record } : {}),
      ...(first.name === undefined ? {} : { name: first.name }),
    }
  }
  return { value, record: true }
}
