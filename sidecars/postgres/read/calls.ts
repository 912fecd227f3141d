import type { Node } from 'libpg-query'
import type { Routine } from '../../sql/catalogue.ts'
import { literal } from './ast.ts'
import { actsOn, isListed, isReaching, isTotal } from './builtins.ts'
import type { Reading } from './reading.ts'
import { judgeSetting } from './settings.ts'

/** How a function is called. */
export type Call = {
  readonly name: string
  readonly schema: string | undefined
  readonly args: readonly Node[]
  readonly argumentsCount: number
}

/** Records a call. True when its arguments stay what they are: nothing about them shows but in the answer. */
export function call(reading: Reading, one: Call): boolean {
  const { facts, around } = reading
  const named = around.catalogue.functions(one.name, one.schema, around.searchPath)
  const fitting = named.filter(
    ({ argumentsMin, argumentsMax }) =>
      one.argumentsCount >= argumentsMin && one.argumentsCount <= argumentsMax,
  )
  const candidates = fitting.length > 0 ? fitting : named
  const ours = candidates.filter((routine) => !isServers(routine))
  for (const routine of ours) runs(reading, routine)
  if (isReaching(one.name)) {
    reading.opaque = true
    executes(reading, `${candidates[0]?.schema ?? 'pg_catalog'}.${one.name}`, 'reaching')
    facts.doubt(`what ${one.name}() touches cannot be told from the statement`)
    return false
  }
  if (candidates.length === 0) {
    reading.opaque = true
    executes(reading, one.schema === undefined ? one.name : `${one.schema}.${one.name}`, 'unknown')
    facts.doubt(`function ${one.name} is not known`)
    return false
  }
  const servers = candidates.filter(isServers)
  if (servers.length > 0) builtin(reading, one, servers)
  return ours.length === 0 && isTotal(one.name)
}

/** Whether somebody's function may be what this name means. */
export function isSomebodys(reading: Reading, name: string): boolean {
  const { catalogue, searchPath } = reading.around
  return catalogue.functions(name, undefined, searchPath).some((one) => !isServers(one))
}

/** Records that somebody's function, named `schema.name`, runs. */
export function runsNamed(reading: Reading, full: string): void {
  const dot = full.indexOf('.')
  const { catalogue } = reading.around
  for (const one of catalogue.functions(full.slice(dot + 1), full.slice(0, dot), [])) {
    if (!isServers(one)) runs(reading, one)
  }
}

function isServers(routine: Routine): boolean {
  return routine.schema === 'pg_catalog' || routine.schema === 'information_schema'
}

function runs(reading: Reading, routine: Routine): void {
  reading.opaque = true
  const full = `${routine.schema}.${routine.name}`
  executes(reading, full, `${routine.definer ? 'definer' : 'user'}:${routine.language}`)
}

function builtin(reading: Reading, one: Call, candidates: readonly Routine[]): void {
  const { facts } = reading
  if (grows(one)) reading.names.decideAll()
  const full = `${candidates[0]?.schema ?? 'pg_catalog'}.${one.name}`
  switch (actsOn(one.name)) {
    case 'setting':
      setting(reading, one.args)
      facts.call(full, 'acting')
      return
    case 'sequence':
      facts.effect('write')
      facts.touch('sequence', sequenceName(reading, one.args[0]), 'write')
      facts.call(full, 'acting')
      return
    case 'channel':
      facts.effect('write')
      facts.touch('channel', literal(one.args[0]) ?? '*', 'write')
      facts.call(full, 'acting')
      return
  }
  const pure = candidates.every(
    ({ volatility, kind }) =>
      volatility === 'immutable' || kind === 'aggregate' || kind === 'window',
  )
  if (pure || isListed(one.name)) {
    facts.call(full, pure ? 'pure' : 'listed')
    return
  }
  reading.opaque = true
  executes(reading, full, 'unlisted')
}

/** Longest result of a call that is told by the statement, in characters, next to which a value's own length is lost. */
const GROWN_MAX = 10_000

/** Makes so much of little that whatever it is put together with may fail by its length: beyond 1 GB PostgreSQL gives up. */
function grows({ name, args }: Call): boolean {
  if (name !== 'repeat' && name !== 'lpad' && name !== 'rpad') return false
  const count = Number(literal(args[1]) ?? Number.NaN)
  const unit = name === 'repeat' ? (literal(args[0])?.length ?? Number.NaN) : 1
  return !(count * unit <= GROWN_MAX)
}

/** Code that policy has to know of: an object, so that it counts among the objects. */
function executes({ facts }: Reading, full: string, kind: string): void {
  facts.effect('execute')
  facts.touch('function', full, 'read')
  facts.call(full, kind)
}

function setting({ facts }: Reading, args: readonly Node[]): void {
  const name = literal(args[0])
  facts.effect('session')
  facts.touch('setting', name?.toLowerCase() ?? '*', 'write')
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
  const known = catalogue.relation(name, parts[parts.length - 2], searchPath)
  return known?.full ?? text
}
