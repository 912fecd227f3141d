import type { Refused } from '../../pdp/contract.ts'
import { Malformed } from '../../pdp/refusal.ts'
import { nothing } from '../bytes.ts'
import { bound } from './bind.ts'
import type { Desk } from './desk.ts'
import { doubtOf, isOpen } from './doubt.ts'
import { forwarded } from './forward.ts'
import { describePortal, ends, letterOf, text, valid } from './frames.ts'
import { asksTooMuch, isFull } from './held.ts'
import { isRefused } from './judge.ts'
import { pathHere } from './path/here.ts'
import { same as matches } from './path/path.ts'
import { carries, isOutdated } from './proof.ts'
import { proposals } from './proposals.ts'
import type { Reading } from './reader.ts'
import { missing, refuse, tooManyNames } from './refuse.ts'
import type { Answer } from './requests.ts'
import type { Run } from './run.ts'
import { redefined } from './screen.ts'
import { outdated } from './seal/same.ts'
import { nextReady, type Prepared, type Proposed, propose, type State } from './state.ts'
import type { Statement } from './statement.ts'

/** Parse: judged as if it ran, so that the text of what may never run does not reach the server. */
export function parse(desk: Desk, frame: Buffer): Answer {
  const { state } = desk
  const [name, at] = text(frame, 5)
  if (isFull(state.prepared, name)) return refuse(state, tooManyNames, 'parse')
  const statements = desk.reading(frame, at)
  if (statements instanceof Promise) return desk.again(frame, statements)
  if (asksTooMuch(state, statements)) return refuse(state, tooManyNames, 'parse')
  return desk.judged(statements, { prepare: true }, (verdict) => {
    if (isRefused(verdict)) return refuse(state, verdict, name === '' ? 'unnamed' : 'parse')
    const { batch, prepared } = state
    const changes = [
      propose(prepared, {
        name,
        value: {
          ...prepare(state, statements, frame, at),
          upstream: verdict[0]?.statement.upstream,
        },
        batch,
      }),
    ]
    const { frame: outgoing, sent } = forwarded(frame, at, verdict)
    state.queue.push({ kind: 'parse', runs: verdict, changes, unnamed: name === '', sent })
    return outgoing
  })
}

/** Bind: judged with its parameters, before the server plans anything. */
export function bind(desk: Desk, frame: Buffer): Answer {
  const { state } = desk
  const { portal, statement: name, parameters } = bound(frame)
  const prepared = state.prepared.get(name, state.batch)
  if (prepared === 'unsettled') return desk.again(frame)
  if (prepared === undefined) return refuse(state, missing('statement', name), 'parse')
  if (isFull(state.cursors, portal)) return refuse(state, tooManyNames, 'parse')
  const statements = current(desk, prepared)
  if (statements instanceof Promise) return desk.again(frame, statements)
  return desk.judged(statements, { parameters }, (verdict) => {
    if (isRefused(verdict)) return refuse(state, verdict, 'parse')
    const [run] = verdict
    const { upstream } = prepared
    if (run?.statement.upstream !== upstream) return refuse(state, changed(run), 'parse')
    const value = { portal: true, statement: run?.statement, upstream, ...(run && { run }) }
    const change = propose(state.cursors, { name: portal, value, batch: state.batch })
    state.queue.push({ kind: 'bind', run, changes: [change] })
    const question = described(state, portal, run)
    return question.length === 0 ? frame : Buffer.concat([frame, question])
  })
}

/** Nothing runs that was rewritten for other masks than those of now. */
function changed(run: Run | undefined): Refused {
  run?.finish('42501')
  return { allowed: false, id: run?.id ?? '', refusal: outdated() }
}

function prepare(
  state: State,
  statements: readonly Statement[],
  frame: Buffer,
  at: number,
): Prepared {
  if (!valid(frame, at)) return { statements }
  return {
    statements,
    text: text(frame, at)[0],
    read: [state.catalogue.current().version, doubtOf(state)],
  }
}

/** A statement as it would be read today: the server, too, looks names up anew when they have changed. */
function current({ state, read }: Desk, { statements, text, read: then }: Prepared): Reading {
  if (text === undefined) return statements
  const here = pathHere(state)
  if (isOpen(state) || here === undefined) return nextReady(state)
  const same =
    then?.[0] === state.catalogue.current().version &&
    then?.[1] === doubtOf(state) &&
    statements.every(({ searchPath = [] }) => matches(searchPath, here.searchPath))
  return same && statements.every(isAlone) ? statements : read(text)
}

/** Nothing but its text and the catalogue, as it was when it was read, decides what it means. */
const isAlone = ({ needs, command }: Statement): boolean => needs.length === 0 && !carries(command)

/** Execute: a portal was judged at its Bind; a cursor made in SQL is judged now. */
export function execute(desk: Desk, frame: Buffer): Answer {
  const { state } = desk
  const [name, at] = text(frame, 5)
  ends(frame, at + 4)
  const cursor = state.cursors.get(name, state.batch)
  if (cursor === 'unsettled') return desk.again(frame)
  if (cursor === undefined) return refuse(state, missing('portal', name), 'parse')
  const { portal, statement, run } = cursor
  if (run !== undefined && isOutdated(run.statement, state.catalogue.current()))
    return refuse(state, { id: run.id, refusal: redefined }, 'parse')
  if (portal || statement === undefined) return executed(state, frame, run)
  return desk.judged([statement], {}, (verdict) => {
    if (isRefused(verdict)) return refuse(state, verdict, 'parse')
    const [fetched] = verdict
    if (fetched?.statement.upstream !== cursor.upstream)
      return refuse(state, changed(fetched), 'parse')
    return Buffer.concat([described(state, name, fetched), executed(state, frame, fetched)])
  })
}

/** Portals that ran before, and now go on. */
const begun = new WeakSet<Run>()

function executed(state: State, frame: Buffer, run: Run | undefined): Buffer {
  const changes = run === undefined || begun.has(run) ? [] : executing(state, run)
  if (run !== undefined) begun.add(run)
  state.queue.push({ kind: 'execute', run, changes })
  run?.start()
  return frame
}

/** Procedures, and statements that must have a transaction to themselves, may end it in the middle of a pipeline. */
function executing(state: State, { statement }: Run): readonly Proposed[] {
  const changes = proposals(state, statement)
  const { name, effects } = statement.command
  const may = mayCommit.has(name) || effects.includes('execute') || effects.includes('unknown')
  return may ? [...changes, state.path.propose({ kind: 'may_commit' }, state.batch)] : changes
}

/** Those that may refuse to run in a transaction block (`PreventInTransactionBlock`), or have transactions of their own. */
const mayCommit = new Set(
  (
    'vacuum analyze reindex cluster alter_system alter_table alter_type create_index drop_index ' +
    'create_database drop_database alter_database create_tablespace drop_tablespace ' +
    'create_subscription alter_subscription drop_subscription'
  ).split(' '),
)

/** Where something may have to be masked, the gate asks for the columns itself and keeps the answer. */
function described(state: State, portal: string, run: Run | undefined): Buffer {
  if (run === undefined || run.mask.empty) return nothing
  state.queue.push({ kind: 'describe', hidden: run })
  return describePortal(portal)
}

/** Describe: shows names and types, no data. */
export function describe({ state }: Desk, frame: Buffer): Buffer {
  targetOf(frame)
  state.queue.push({ kind: 'describe' })
  return frame
}

/** Close: the name means nothing once the server agrees. */
export function close({ state }: Desk, frame: Buffer): Buffer {
  const { kind, name } = targetOf(frame)
  const gone = { name, value: undefined, batch: state.batch }
  const change = kind === 'S' ? propose(state.prepared, gone) : propose(state.cursors, gone)
  state.queue.push({ kind: 'close', changes: [change] })
  return frame
}

function targetOf(frame: Buffer): { readonly kind: string; readonly name: string } {
  const kind = String.fromCharCode(frame[5] ?? 0)
  if (kind !== 'S' && kind !== 'P')
    throw new Malformed(`message ${letterOf(frame)} names neither a statement nor a portal`)
  const [name, end] = text(frame, 6)
  ends(frame, end)
  return { kind, name }
}
