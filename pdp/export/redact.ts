/** What of a question or an answer must not leave: JSON pointers (RFC 6901) as OPA's mask rules have them. */
export type Redaction = {
  /** Taken out. */
  readonly erased: readonly string[]
  /** Replaced by a constant. */
  readonly masked: readonly string[]
}

/** What of it applied to one event, under OPA's names. */
export type Redacted = { readonly erased?: readonly string[]; readonly masked?: readonly string[] }

type Holder = { readonly inside: object; readonly key: string }

const replacement = '**REDACTED**'

/** Changes a freshly read event in place, and says which pointers led somewhere. */
export function redact(event: object, { erased, masked }: Redaction): Redacted {
  const replaced = masked.filter((pointer) => replace(event, pointer))
  const gone = erased.filter((pointer) => remove(event, pointer))
  return {
    ...(gone.length > 0 && { erased: gone }),
    ...(replaced.length > 0 && { masked: replaced }),
  }
}

function replace(event: object, pointer: string): boolean {
  const holder = holderOf(event, pointer)
  return holder !== undefined && Reflect.set(holder.inside, holder.key, replacement)
}

function remove(event: object, pointer: string): boolean {
  const holder = holderOf(event, pointer)
  if (holder === undefined) return false
  const { inside, key } = holder
  // The others keep their places, so that later pointers mean what they say.
  return Array.isArray(inside)
    ? Reflect.set(inside, key, null)
    : Reflect.deleteProperty(inside, key)
}

/** Where the pointer's last step is held; undefined where it leads nowhere. */
function holderOf(event: object, pointer: string): Holder | undefined {
  const steps = pointer.slice(1).split('/').map(unescaped)
  const key = steps.pop() ?? ''
  let inside: unknown = event
  for (const step of steps)
    inside = isObject(inside) && own(inside, step) ? Reflect.get(inside, step) : undefined
  return isObject(inside) && own(inside, key) ? { inside, key } : undefined
}

function own(inside: object, key: string): boolean {
  return Array.isArray(inside)
    ? /^\d+$/.test(key) && Number(key) < inside.length
    : Object.hasOwn(inside, key)
}

function unescaped(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
