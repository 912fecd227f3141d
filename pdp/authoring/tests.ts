import { Failure } from '../commands/io.ts'
import { complaint, type Opa, opa } from './opa.ts'

/** How a test ended; `untried` where it cannot run on WASM. */
export type Ending = 'pass' | 'fail' | 'error' | 'skipped' | 'untried'

/** One named case of a test. */
export type Case = { readonly path: readonly string[]; readonly ending: Ending }

/** One test as `opa test` found and ended it. */
export type OpaTest = {
  /** `data.package.test_name`, with `#01` behind the second of the same name. */
  readonly id: string
  readonly package: string
  readonly name: string
  readonly file: string
  readonly row: number
  readonly col: number
  readonly ending: Ending
  readonly message?: string
  /** What the test printed. */
  readonly output?: string
  readonly cases: readonly Case[]
}

type Printed = {
  readonly location: { readonly file: string; readonly row: number; readonly col: number }
  readonly package: string
  readonly name: string
  readonly fail?: boolean
  readonly skip?: boolean
  readonly error?: { readonly code?: string; readonly message?: string }
  readonly output?: string
  readonly sub_results?: Cases
}

type Cases = Readonly<
  Record<string, { readonly fail?: boolean; readonly sub_results?: Cases | undefined }>
>

/** Runs `opa test`, and lists what it found by file and row. Throws Failure where the folder does not compile. */
export async function opaTests(from: Opa, run?: string): Promise<readonly OpaTest[]> {
  const chosen = run === undefined ? [] : ['--run', run]
  const said = await opa(from, ['test', '--bundle', '.', '--format', 'json', ...chosen])
  const printed = listed(said.stdout)
  if (printed === undefined || ![0, 2].includes(said.status))
    throw new Failure(`opa could not run the tests:\n${complaint(said)}`)
  return printed
    .map(testOf)
    .sort(
      (one, two) => (one.file === two.file ? 0 : one.file < two.file ? -1 : 1) || one.row - two.row,
    )
}

function listed(text: string): readonly Printed[] | undefined {
  try {
    const printed: unknown = JSON.parse(text.trim() === '' ? '[]' : text)
    return Array.isArray(printed) ? printed : undefined
  } catch {
    return undefined
  }
}

function testOf(printed: Printed): OpaTest {
  const { location, error, output } = printed
  return {
    id: `${printed.package}.${printed.name}`,
    package: printed.package,
    name: printed.name,
    file: location.file,
    row: location.row,
    col: location.col,
    ending: endingOf(printed),
    ...(error === undefined ? {} : { message: `${error.code ?? ''}: ${error.message ?? ''}` }),
    ...(output === undefined ? {} : { output: Buffer.from(output, 'base64').toString() }),
    cases: casesOf(printed.sub_results ?? {}, []),
  }
}

function endingOf({ skip, error, fail }: Printed): Ending {
  if (skip === true) return 'skipped'
  if (error !== undefined) return 'error'
  return fail === true ? 'fail' : 'pass'
}

function casesOf(cases: Cases, above: readonly string[]): readonly Case[] {
  return Object.entries(cases).flatMap(([name, { fail, sub_results: below }]) => {
    const path = [...above, name]
    if (below !== undefined) return casesOf(below, path)
    return [{ path, ending: fail === true ? 'fail' : 'pass' } as const]
  })
}
