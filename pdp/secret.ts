import { inspect } from 'node:util'
import type { Secret } from './contract.ts'

const shown = '[secret]'

/** Wraps a string so that printing, logging or serialising it by accident shows `[secret]`. */
export function secret(text: string): Secret {
  return new Sealed(text)
}

class Sealed implements Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  reveal(): string {
    return this.#text
  }

  toString(): string {
    return shown
  }

  toJSON(): string {
    return shown
  }

  [inspect.custom](): string {
    return shown
  }
}
