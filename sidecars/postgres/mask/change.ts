import type { Rewrite } from '../../../pdp/contract.ts'
import { elements } from './array.ts'
import { constant } from './constant.ts'
import { JSONB, kindOf } from './types.ts'

/** What becomes of the cells of one column. */
export type Change = {
  /** The new value where it is the same for all: null for NULL, undefined where it depends on the cell. */
  readonly fixed: Buffer | null | undefined
  /** NULL is replaced too, so that it cannot be told from a value. */
  readonly always: boolean
  /** The new value of a cell that is not NULL, null for NULL. Throws Malformed. */
  value(cell: Buffer): Buffer | null
  /** The same as text, where a value is its text. */
  readonly text?: Rewrite['text']
  readonly ascii?: Rewrite['ascii']
}

/** A cell of the wire: its type's OID, and whether it comes in binary format. */
export type Form = { readonly typeOid: number; readonly binary: boolean }

const redacted = '[redacted]'

/** For a value that is computed from protected ones, or may be: nothing of it is left, not even whether it was NULL. */
export function covered({ typeOid }: Form): Change {
  return fixed(kindOf(typeOid) === 'text' ? Buffer.from(redacted) : null, true)
}

/** For a copy of a protected value, of its own type: NULL where the type cannot hold what the mask says. */
export function masked(rewrite: Rewrite, form: Form): Change {
  if (rewrite.method === 'null') return fixed(null)
  switch (kindOf(form.typeOid)) {
    case 'text':
      return texts(rewrite)
    case 'texts':
      return varying((cell) => elements(cell, form.binary, (one) => rewrite.text(one)))
    case 'json':
      return documents(rewrite, form)
    case 'other': {
      const { value } = rewrite
      return fixed(
        value === undefined ? null : (constant(value, form.typeOid, form.binary) ?? null),
      )
    }
  }
}

function fixed(value: Buffer | null, always = false): Change {
  return { fixed: value, always, value: () => value }
}

function varying(value: Change['value']): Change {
  return { fixed: undefined, always: false, value }
}

function texts(rewrite: Rewrite): Change {
  // The same for every value.
  if (rewrite.method === 'redact') return fixed(bytes(rewrite.text('')))
  const { text, ascii } = rewrite
  return {
    ...varying((cell) => bytes(text(cell.toString('utf8')))),
    text,
    ...(ascii !== undefined && { ascii }),
  }
}

const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text))

/** A string is rewritten as a text; what holds more, or none, is redacted as a whole. */
function documents(rewrite: Rewrite, { typeOid, binary }: Form): Change {
  const version = binary && typeOid === JSONB ? '\x01' : ''
  const document = (text: string | null): Buffer | null =>
    text === null ? null : Buffer.from(version + JSON.stringify(text))
  if (rewrite.method === 'redact') return fixed(document(rewrite.text('')))
  return varying((cell) => {
    const scalar = scalarOf(cell.toString('utf8', version.length))
    return document(scalar === undefined ? redacted : rewrite.text(scalar))
  })
}

function scalarOf(json: string): string | undefined {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'string') return value
    return typeof value === 'number' ? json.trim() : undefined
  } catch {
    return undefined
  }
}
