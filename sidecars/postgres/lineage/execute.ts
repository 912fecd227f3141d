import type { Reading } from './reading.ts'

/** Code that policy has to know of: an object, so that it counts among the objects. */
export function executes({ facts }: Reading, full: string, kind: string): void {
  facts.effect('execute')
  facts.touch('function', full, 'read')
  facts.call(full, kind)
}
