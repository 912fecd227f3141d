import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../../../pdp/', import.meta.url))

function ended(work: string): { readonly status: number | null; readonly text: string } {
  const script = `
    import { endOnCrash } from '${folder}commands/stop.ts'
    import { log } from '${folder}log.ts'
    endOnCrash(log('info'))
    ${work}
    setTimeout(() => undefined, 10_000)
  `
  const args = ['--input-type=module', '--eval', script]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { status, text: stdout + stderr }
}

test.each([
  ['thrown', "setTimeout(() => { throw new TypeError('cnry-1234') })"],
  ['rejected', "void Promise.reject(new TypeError('cnry-1234'))"],
])('what nobody caught, %s, ends the gate and is logged without its message', (_how, work) => {
  const { status, text } = ended(work)
  expect(status).toBe(1)
  expect(text).toMatch(/"kind":"TypeError".*"message":"gate crashed"/)
  expect(text).not.toContain('cnry')
})
