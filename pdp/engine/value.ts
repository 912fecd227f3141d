/** A value of Rego as builtins see it: JSON, plus sets, plus integers that a double cannot hold. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly Value[]
  | ReadonlySet<Value>
  | { readonly [key: string]: Value }

/** Whether a value is an object of Rego, not an array or a set. */
export function isObject(value: Value): value is { readonly [key: string]: Value } {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Set)
  )
}

/** Whether a value is a set of Rego. */
export function isSet(value: Value): value is ReadonlySet<Value> {
  return value instanceof Set
}

/** Whether a value is an array of Rego. */
export function isArray(value: Value): value is readonly Value[] {
  return Array.isArray(value)
}

/** An integer as a number where that is exact, else as a bigint. */
export function integer(value: bigint): number | bigint {
  const near = Number(value)
  return Number.isSafeInteger(near) ? near : value
}

/** Adds a member under any name, `__proto__` included, without touching the prototype. */
export function put(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value
  else
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      writable: true,
      configurable: true,
    })
}
