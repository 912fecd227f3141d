/** Random statements over a schema, the same ones for the same seed. */
import {
  type Case,
  copyFrom,
  copyTo,
  cursor,
  explained,
  filtered,
  parametrised,
  prepared,
  savepoints,
} from './cases.ts'
import type { Mode } from './client.ts'
import type { Around, Scope } from './expression.ts'
import { focused, focusedWrite } from './focused.ts'
import type { FromAround } from './from.ts'
import { path } from './paths.ts'
import { freeQuery, query } from './query.ts'
import { random } from './random.ts'
import type { Relation } from './relations.ts'
import { write } from './writes.ts'

/** A longer one is cut short by nobody, so that it is thrown away here. */
const textCharsMax = 6_000

/** Answers one case after another. */
export function generator(seed: number, relations: readonly Relation[]): () => Case {
  const choice = random(seed)
  let names = 0
  const around: FromAround = {
    random: choice,
    relations,
    fresh: () => {
      names += 1
      return `t${names}`
    },
    subquery: (types, scope, limit = '') => {
      const text = query(around, types, scope)
      return limit !== '' && !/ (limit|offset|fetch|for) /.test(text)
        ? `(${text} ${limit})`
        : `(${text})`
    },
  } satisfies FromAround & Around
  return () => {
    for (;;) {
      names = 0
      const made = oneCase(around)
      if (made.texts.every((text) => text.length <= textCharsMax)) return made
    }
  }
}

function oneCase(around: FromAround): Case {
  const { random: choice } = around
  const scope = (): Scope => ({
    sources: [],
    ctes: [],
    depth: choice.pick([0, 0, 1, 1, 1, 2, 2, 3]),
  })
  const free = (): string => freeQuery(around, scope())
  const mode = choice.pick<Mode>(['simple', 'simple', 'text', 'binary'])
  const read = (...texts: readonly string[]): Case => ({ texts, mode, writes: false })
  const changing = (...texts: readonly string[]): Case => ({ texts, mode, writes: true })
  const either = (): string => (choice.chance(0.5) ? free() : focused(around))
  return choice.weighted<Case>([
    [32, () => read(free())],
    [34, () => read(focused(around))],
    [8, () => changing(write(around, scope()))],
    [9, () => changing(focusedWrite(around))],
    [3, () => changing(write(around, scope()), free())],
    [4, () => cursor(around, either())],
    [3, () => prepared(around, either(), mode)],
    [5, () => parametrised(around)],
    [5, () => filtered(around)],
    [2, () => savepoints(around, either(), either())],
    [3, () => path(around)],
    [1, () => ({ ...read(`${focused(around)}; ${either()}`), mode: 'simple' })],
    [3, () => read(copyTo(around, `(${either()})`))],
    [1, () => read(copyTo(around, choice.pick(around.relations).name))],
    [1, () => copyFrom(around)],
    [5, () => read(explained(around, either()))],
    [1, () => read(`table ${choice.pick(around.relations).name}`)],
  ])
}
