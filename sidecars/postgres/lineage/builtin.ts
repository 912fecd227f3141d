import type { Node } from 'libpg-query'
import type { Callable } from '../../sql/lineage/library.ts'
import type { Value } from '../../sql/lineage/value.ts'
import { literal } from '../read/ast.ts'
import { actsOn, isListed, isTotal } from '../read/builtins.ts'
import { judgeSetting } from '../read/settings.ts'
import type { Call } from './calls.ts'
import { executes } from './execute.ts'
import { type Reading, use } from './reading.ts'
import { guardSetting } from './secrets.ts'
import { checkedLike } from './standing.ts'

/** Records a call of the server's own function. True when its answer may hold what it is not given. */
export function builtin(
  reading: Reading,
  one: Call,
  candidates: readonly Callable[],
  base: Value,
): boolean {
  const { facts } = reading
  if (grows(one)) reading.grows = true
  const full = `${candidates[0]?.schema ?? 'pg_catalog'}.${one.name}`
  if (candidates.some((it) => it.set)) use(reading, base, 'limit')
  settings(reading, one)
  const [shape] = one.args
  if (shape !== undefined && one.name.includes('populate_record')) checkedLike(reading, shape, base)
  if (acts(reading, one)) {
    use(reading, base, 'argument')
    facts.call(full, 'acting')
    return false
  }
  const pure = candidates.every(
    ({ volatility, kind }) =>
      volatility === 'immutable' || kind === 'aggregate' || kind === 'window',
  )
  if (pure || isListed(one.name)) {
    if (!isTotal(one.name)) use(reading, base, 'partial')
    facts.call(full, pure ? 'pure' : 'listed')
    return false
  }
  use(reading, base, 'argument')
  executes(reading, full, 'unlisted')
  return true
}

/** Longest result of a call that is told by the statement, in characters, next to which a value's own length is lost. */
const GROWN_MAX = 10_000

/** Makes so much of little that whatever it is put together with may fail by its length: beyond 1 GB PostgreSQL gives up. */
function grows({ name, nodes }: Call): boolean {
  if (name !== 'repeat' && name !== 'lpad' && name !== 'rpad') return false
  const count = Number(literal(nodes[1]) ?? Number.NaN)
  const unit = name === 'repeat' ? (literal(nodes[0])?.length ?? Number.NaN) : 1
  return !(count * unit <= GROWN_MAX)
}

/** What shows settings of the server. */
function settings(reading: Reading, { name, nodes }: Call): void {
  if (name === 'pg_show_all_settings') guardSetting(reading, undefined)
  if (name === 'current_setting') guardSetting(reading, literal(nodes[0]))
}

function acts(reading: Reading, { name, nodes }: Call): boolean {
  const { facts } = reading
  switch (actsOn(name)) {
    case 'setting':
      setting(reading, nodes)
      return true
    case 'sequence':
      facts.effect('write')
      facts.touch('sequence', sequenceName(reading, nodes[0]), 'write')
      return true
    case 'channel':
      facts.effect('write')
      facts.touch('channel', literal(nodes[0]) ?? '*', 'write')
      return true
  }
  return false
}

function setting({ facts, sets }: Reading, args: readonly Node[]): void {
  const name = literal(args[0])
  facts.effect('session')
  facts.touch('setting', name?.toLowerCase() ?? '*', 'write')
  if (args === sets) return
  if (name === undefined) {
    facts.doubt('set_config() is given a setting that the statement does not name')
    return
  }
  const judged = judgeSetting(name, literal(args[1]))
  if (judged.grant) facts.effect('grant')
  if (judged.doubt !== undefined) facts.doubt(judged.doubt)
}

function sequenceName(reading: Reading, argument: Node | undefined): string {
  const text = literal(argument)
  if (text === undefined) return '*'
  const parts = text
    .split('.')
    .map((part) => (part.startsWith('"') ? part.slice(1, -1) : part.toLowerCase()))
  const name = parts[parts.length - 1] ?? ''
  const { catalogue, searchPath } = reading.around
  return catalogue.relation(name, parts[parts.length - 2], searchPath)?.full ?? text
}
