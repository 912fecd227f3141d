/** Reads OPA's value structures out of a policy's memory; layout as in writer.ts. */
import type { Instance } from './instance.ts'
import { numeric } from './text.ts'
import { integer, put, type Value } from './value.ts'

/** Below this length a loop over ASCII beats the call into the decoder. */
const shortText = 24
/** Constants of one policy whose text is remembered. */
const constantsMax = 4096

export interface Reader {
  /** The value at an address. Throws on anything that is not a value. */
  read(address: number): Value
}

/** A reader of one instance's memory: of JSON, where sets are arrays and wide integers doubles, or of exact values. */
export function reader({ memory }: Instance, form: 'json' | 'exact'): Reader {
  const constants = new Map<number, string>()
  let bytes = Buffer.from(memory.buffer)
  let view = new DataView(memory.buffer)

  return { read }

  function read(address: number): Value {
    if (bytes.buffer !== memory.buffer) {
      bytes = Buffer.from(memory.buffer)
      view = new DataView(memory.buffer)
    }
    return any(address)
  }

  function any(at: number): Value {
    switch (bytes[at]) {
      case 1:
        return null
      case 2:
      case 9:
        return bytes[at + 1] !== 0
      case 3:
        return number(at)
      case 4:
        return string(at)
      case 8:
        return constant(at)
      case 5:
        return array(at)
      case 6:
        return object(at)
      case 7:
        return set(at)
      default:
        throw new Error('memory holds no value where one was expected')
    }
  }

  function word(at: number): number {
    return view.getUint32(at, true)
  }

  function number(at: number): number | bigint {
    if (bytes[at + 1] === 1) {
      const near = word(at + 8) + view.getInt32(at + 12, true) * 4294967296
      const safe = form === 'json' || Number.isSafeInteger(near)
      return safe ? near : integer(view.getBigInt64(at + 8, true))
    }
    const start = word(at + 8)
    const text = bytes.toString('latin1', start, start + word(at + 12))
    return form === 'json' ? Number(text) : numeric(text)
  }

  /** Strings of the module itself never change, so their text is made once. */
  function constant(at: number): string {
    const known = constants.get(at)
    if (known !== undefined) return known
    const text = string(at)
    if (constants.size < constantsMax) constants.set(at, text)
    return text
  }

  function string(at: number): string {
    const length = word(at + 4)
    const text = word(at + 8)
    if (length >= shortText) return bytes.toString('utf8', text, text + length)
    let made = ''
    for (let index = text; index < text + length; index++) {
      const code = bytes[index] ?? 0
      if (code > 127) return bytes.toString('utf8', text, text + length)
      made += String.fromCharCode(code)
    }
    return made
  }

  function array(at: number): Value[] {
    const elements = word(at + 4)
    const count = word(at + 8)
    const made: Value[] = []
    for (let index = 0; index < count; index++) made.push(any(word(elements + 8 * index + 4)))
    return made
  }

  function object(at: number): Value {
    const buckets = word(at + 4)
    const count = word(at + 8)
    const made: Record<string, unknown> = {}
    for (let index = 0; index < count; index++)
      for (let entry = word(buckets + 4 * index); entry !== 0; entry = word(entry + 8)) {
        const key = any(word(entry))
        put(made, typeof key === 'string' ? key : String(key), any(word(entry + 4)))
      }
    return made as { readonly [key: string]: Value }
  }

  function set(at: number): Value {
    const buckets = word(at + 4)
    const count = word(at + 8)
    const made: Value[] = []
    for (let index = 0; index < count; index++)
      for (let entry = word(buckets + 4 * index); entry !== 0; entry = word(entry + 4))
        made.push(any(word(entry)))
    return form === 'json' ? made : new Set(made)
  }
}
