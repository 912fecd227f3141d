import { equal } from '../order.ts'
import { isArray, isObject, isSet, put, type Value } from '../value.ts'
import { array, type Builtins, object, pure, string } from './operands.ts'

type Path = readonly Value[]
type Change = (container: Value, key: Value) => Value

/** `json.patch` (RFC 6902), where a path may also lead through sets and be a list of keys, as in OPA. */
export const patch: Builtins = {
  'json.patch': pure((document, operations) => {
    if (document === undefined) throw new Error('the document is missing')
    return patched(document, array(operations))
  }),
}

/** Undefined, which is no error in OPA, where one of the operations cannot be done. */
function patched(document: Value, operations: readonly Value[]): Value | undefined {
  try {
    return operations.reduce((value, operation) => apply(value, object(operation)), document)
  } catch {
    return undefined
  }
}

function apply(document: Value, operation: { readonly [key: string]: Value }): Value {
  const path = pathOf(operation['path'])
  switch (string(operation['op'])) {
    case 'add':
      return added(document, path, given(operation['value']))
    case 'remove':
      return removed(document, path)
    case 'replace':
      return replaced(document, path, given(operation['value']))
    case 'move': {
      const from = pathOf(operation['from'])
      const moved = at(document, from)
      return added(from.length === 0 ? null : removed(document, from), path, moved)
    }
    case 'copy':
      return added(document, path, at(document, pathOf(operation['from'])))
    case 'test':
      if (equal(at(document, path), given(operation['value']))) return document
      throw new Error('the test does not hold')
    default:
      throw new Error('unknown operation')
  }
}

function pathOf(value: Value | undefined): Path {
  if (value !== undefined && isArray(value)) return value
  const text = string(value)
  if (text === '') return []
  const parts = text.replace(/^\/+/, '').split('/')
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function given(value: Value | undefined): Value {
  if (value === undefined) throw new Error('the operation has no value')
  return value
}

function at(document: Value, path: Path): Value {
  return path.reduce(child, document)
}

function added(document: Value, path: Path, value: Value): Value {
  return path.length === 0 ? value : edit(document, path, (place, key) => insert(place, key, value))
}

function removed(document: Value, path: Path): Value {
  if (path.length === 0) throw new Error('the whole document cannot be removed')
  return edit(document, path, remove)
}

function replaced(document: Value, path: Path, value: Value): Value {
  if (path.length === 0) return value
  return edit(document, path, (place, key) => insert(remove(place, key), key, value))
}

/** The document with one change where the path ends; everything beside the path is shared. */
function edit(value: Value, [key = '', ...rest]: Path, change: Change): Value {
  if (rest.length === 0) return change(value, key)
  const inner = edit(child(value, key), rest, change)
  if (isSet(value)) return insert(remove(value, key), inner, inner)
  if (isArray(value)) return value.with(index(value, key), inner)
  return insert(value, key, inner)
}

function child(value: Value, key: Value): Value {
  const found = isArray(value)
    ? value[index(value, key)]
    : isSet(value)
      ? [...value].find((element) => equal(element, key))
      : Object.hasOwn(object(value), string(key))
        ? object(value)[string(key)]
        : undefined
  if (found === undefined) throw new Error('the path leads nowhere')
  return found
}

function insert(place: Value, key: Value, value: Value): Value {
  if (isArray(place)) return place.toSpliced(index(place, key, place.length), 0, value)
  if (isSet(place)) {
    if (!equal(key, value)) throw new Error('the key of an element is the element')
    return new Set([...place].filter((element) => !equal(element, value)).concat([value]))
  }
  const copy = copied(place)
  put(copy, string(key), value)
  return copy as Value
}

function remove(place: Value, key: Value): Value {
  const found = child(place, key)
  if (isArray(place)) return place.toSpliced(index(place, key), 1)
  if (isSet(place)) return new Set([...place].filter((element) => element !== found))
  const copy = copied(place)
  delete copy[string(key)]
  return copy as Value
}

function copied(place: Value): Record<string, unknown> {
  if (!isObject(place)) throw new Error('the path leads into a scalar')
  const copy: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(place)) put(copy, key, value)
  return copy
}

/** A position in an array, by default of an element that exists. */
function index(list: readonly Value[], key: Value, most = list.length - 1): number {
  if (key === '-' && most === list.length) return most
  const text = typeof key === 'number' ? String(key) : string(key)
  if (!/^[-+]?\d{1,15}$/.test(text) || /^0./.test(text)) throw new Error('not a position')
  const position = Number(text)
  if (position < 0 || position > most) throw new Error('the position is out of bounds')
  return position
}
