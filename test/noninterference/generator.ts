/** Random statements over a schema, the same ones for the same seed. */
import type { Mode } from './client.ts'
import type { Around, Scope } from './expression.ts'
import { focused, focusedWrite } from './focused.ts'
import type { FromAround } from './from.ts'
import { freeQuery, query } from './query.ts'
import { random } from './random.ts'
import type { Relation } from './relations.ts'
import { write } from './writes.ts'

/** What is said one after the other, in one transaction where it `writes`. */
export type Case = {
  readonly texts: readonly string[]
  readonly mode: Mode
  readonly writes: boolean
  /** For COPY FROM STDIN. */
  readonly data?: string
}

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
  return choice.weighted<Case>([
    [32, () => read(free())],
    [34, () => read(focused(around))],
    [8, () => changing(write(around, scope()))],
    [9, () => changing(focusedWrite(around))],
    [3, () => changing(write(around, scope()), free())],
    [4, () => cursor(around, choice.chance(0.5) ? free() : focused(around))],
    [
      3,
      () =>
        read(
          `prepare p as ${choice.chance(0.5) ? free() : focused(around)}`,
          'execute p',
          'execute p',
          'deallocate p',
        ),
    ],
    [3, () => read(`copy (${free()}) to stdout${copyOptions(around)}`)],
    [1, () => read(`copy ${choice.pick(around.relations).name} to stdout${copyOptions(around)}`)],
    [1, () => copyFrom(around)],
    [3, () => read(`explain (costs off) ${choice.chance(0.5) ? free() : focused(around)}`)],
    [
      2,
      () =>
        read(
          `explain (analyze, costs off, timing off, summary off) ${choice.chance(0.5) ? free() : focused(around)}`,
        ),
    ],
    [1, () => read(`table ${choice.pick(around.relations).name}`)],
  ])
}

function cursor({ random: choice }: FromAround, text: string): Case {
  const fetch = choice.pick(['fetch 2 from c', 'fetch all from c', 'fetch absolute 2 from c'])
  const scroll = choice.pick(['', 'scroll '])
  const texts = [
    `declare c ${scroll}cursor for ${text}`,
    fetch,
    choice.pick(['move 1 in c', fetch]),
    'close c',
  ]
  return { texts, mode: 'simple', writes: true }
}

function copyOptions({ random: choice }: FromAround): string {
  return choice.pick(['', ' (format csv)', ' (format csv, header)', ' (format binary)'])
}

/** Rows that are already there, or whose values are there under another key. */
function copyFrom({ random: choice }: FromAround): Case {
  const [text, data] = choice.pick([
    [
      'copy customers(id, name, email) from stdin',
      `${choice.pick(['1', '500'])}\tx\t${choice.pick(['alice@example.com', 'none@example.com'])}\n`,
    ],
    ['copy secrets(id, name, value) from stdin', `${choice.pick(['1', '9'])}\tn\tv\n`],
    ['copy kv(k, v) from stdin', 'z\t1\n'],
    ['copy staging(id, name, email) from stdin', '5\tn\te\n'],
  ])
  return { texts: [`${text}`], mode: 'simple', writes: true, data: `${data}` }
}
