/** `postern check` against everything it names, for real. */
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { secretsOf } from '../../deploy/demo/gate.ts'
import { postern } from '../gate.ts'
import { type Stage, startStage } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await startStage()
})
afterAll(() => stage.stop())

const check = (password: string) =>
  postern(
    undefined,
    ['check', '--database', 'shop', '--config', join(stage.setup.folder, 'postern.yaml')],
    secretsOf({ ...stage.postgres, password }),
  )

test('all is well', async () => {
  const { status, out, err } = await check(stage.postgres.password)
  expect(err).toBe('')
  expect(status).toBe(0)
  expect(out).toMatch(/^ok +issuer +http:\/\/127\.0\.0\.1:\d+ gives keys$/m)
  expect(out).toMatch(/^ok +shop\.tls +/m)
  expect(out).toMatch(/^ok +shop\.upstream +logged in to 127\.0\.0\.1:\d+ with TLS$/m)
  expect(out).toMatch(/^ok +shop\.sealed +sees no protected column of shop$/m)
})

test('a wrong password is the one problem, and is not shown', async () => {
  const { status, out, err } = await check('cnry-wrong-password')
  expect(status).toBe(1)
  expect(out.match(/^problem/gm)).toHaveLength(1)
  expect(out).toMatch(/^problem +shop\.upstream +the datastore did not accept the gate/m)
  expect(out + err).not.toContain('cnry')
})
