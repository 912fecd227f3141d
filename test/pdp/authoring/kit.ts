/** Commands for authors as a person runs them: processes of their own. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

export const project = fileURLToPath(new URL('../../../', import.meta.url))
export const opa = join(project, '.tools/opa')

export type Finished = {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs `postern` with these words, and with the pinned opa on PATH. */
export function postern(...words: readonly string[]): Promise<Finished> {
  return posternIn(project, ...words)
}

/** The same in another folder. */
export function posternIn(cwd: string, ...words: readonly string[]): Promise<Finished> {
  const env = { ...process.env, PATH: `${join(project, '.tools')}:${process.env['PATH'] ?? ''}` }
  const limits = { cwd, env, maxBuffer: 64 * 1024 * 1024 }
  return new Promise((done) => {
    execFile(process.execPath, [join(project, 'main.ts'), ...words], limits, (error, ...said) => {
      const [stdout, stderr] = said
      done({ status: Number(error?.code ?? 0), stdout, stderr })
    })
  })
}

/** A folder that is gone when the test is over. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-authoring-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
