import { expect, test } from 'vitest'
import { followed } from '../../../sidecars/postgres/follow.ts'
import type { NameChange, Statement } from '../../../sidecars/postgres/statement.ts'

const statement = (name: string, rest: Partial<Statement> = {}): Statement => ({
  command: { name, effects: ['session'], objects: [] },
  names: [],
  needs: [],
  rows: false,
  ...rest,
})
const execute = (name: string): Statement => statement('execute', { needs: [name] })
const gives: NameChange = { kind: 'prepare', name: 'a', statement: statement('delete') }
const prepares = statement('prepare', { names: [gives] })

test('EXECUTE changes the names that what it executes changes', () => {
  const known: Readonly<Record<string, Statement>> = { b: prepares, c: execute('b') }
  const lookup = (name: string): Statement | undefined => known[name]
  expect(followed([execute('b')], lookup)[0]?.names).toEqual([gives])
  expect(followed([execute('c')], lookup)[0]?.names).toEqual([gives])
  expect(followed([execute('nobody')], lookup)[0]?.names).toEqual([])
})

test('EXECUTE copies where what it executes copies', () => {
  const copies = statement('copy', { copy: 'out' })
  expect(followed([execute('x')], () => copies)[0]?.copy).toBe('out')
})

test('a name means what the text before made of it', () => {
  const harmless = statement('select')
  const renamed = statement('prepare', {
    names: [{ kind: 'prepare', name: 'b', statement: harmless }],
  })
  const gone = statement('deallocate', { names: [{ kind: 'deallocate', name: '' }] })
  const lookup = (): Statement => prepares
  expect(followed([renamed, execute('b')], lookup)[1]?.names).toEqual([])
  expect(followed([gone, execute('b')], lookup)[1]?.names).toEqual([])
})

test('an EXECUTE of itself is incomplete, and forgets every name should it run', () => {
  const [endless] = followed([execute('b')], () => execute('b'))
  expect(endless?.command.incomplete).toBe('EXECUTE is nested too deep')
  expect(endless?.names.map(({ kind, name }) => [kind, name])).toEqual([
    ['deallocate', ''],
    ['close', ''],
  ])
})
