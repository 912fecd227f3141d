import { normalize, type Trees } from './parser.ts'

/** Statements in which a constant is a constant wherever it stands, but for what `unlike` finds. */
const plain = /^\{"version":\d+,"stmts":\[\{"stmt":\{"(?:Select|Insert|Update|Delete)Stmt":/
/** Positions of columns, sizes of types and options keep their numbers, and equal groups share them. */
const unlike =
  /"typmods"|"DefElem"|"distinctClause":\[\{"|"ParamRef":\{"l|"(?:groupClause|sortClause)":(?:(?!"limit).)*"A_Const"/
const constant =
  /"A_Const":\{(?:"[a-z]+":(?:true|\{(?:"[a-z]+":(?:true|-?\d+|"(?:[^"\\]|\\.)*"))?\}),?)?(?:"location":(\d+))?/g
const parameter = /"ParamRef":\{"number":(\d+)/g
/** Strings without escapes that do not go on in another line, numbers, and words. */
const token = /(?:'[^'\\]*'|\d+(?:\.\d+)?|true|false|null)(?![\w$.]|\s*')/iy
const ascii = /^[\0-\x7f]*$/

/**
 * A statement with `$n` for each constant, numbered after its parameters; undefined where that cannot be told. `trees` is
 * what the parser made of `whole`, in which the statement stands.
 */
export function shape(
  statement: string,
  whole: string,
  { statements, placed }: Trees,
): string | undefined {
  const [only] = statements
  const start = whole.slice(only?.stmt_location ?? 0).trimStart()
  const quick =
    statements.length === 1 && start.startsWith(statement) && ascii.test(whole)
      ? filled(statement, whole.length - start.length, placed)
      : undefined
  return quick ?? normalize(statement)
}

/** Undefined where it would take a lexer: the same is asked of PostgreSQL's own then. */
function filled(statement: string, before: number, placed: string): string | undefined {
  if (!plain.test(placed) || unlike.test(placed)) return undefined
  let number = 0
  for (const [, given] of placed.matchAll(parameter)) number = Math.max(number, Number(given))
  const found: Constant[] = []
  for (const [, location] of placed.matchAll(constant)) {
    if (location === undefined) return undefined
    number += 1
    found.push({ from: Number(location) - before, number })
  }
  let made = ''
  let at = 0
  for (const { from, number } of found.sort((one, other) => one.from - other.from)) {
    token.lastIndex = from
    if (from < at || !token.test(statement)) return undefined
    made += `${statement.slice(at, from)}$${number}`
    at = token.lastIndex
  }
  return made + statement.slice(at)
}

/** The parser's order is not always that of the text. */
type Constant = { readonly from: number; readonly number: number }
