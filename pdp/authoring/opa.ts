import { execFile } from 'node:child_process'
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Failure } from '../commands/io.ts'

/** Where opa works, and which one. */
export type Opa = {
  /** The folder with policies, their tests and data. */
  readonly folder: string
  /** The `opa` command; found on PATH unless given. */
  readonly command?: string | undefined
}

/** What a run of opa printed, whatever its exit code. */
export type Said = { readonly status: number; readonly stdout: string; readonly stderr: string }

const runMsMax = 120_000
const outputBytesMax = 256 * 1024 * 1024

/** Runs opa in the folder. Throws Failure where it cannot be started or does not end. */
export function opa(
  { folder, command = 'opa' }: Opa,
  args: readonly string[],
  input = '',
): Promise<Said> {
  // A path is the caller's, not relative to the folder that opa runs in.
  const file = command.includes('/') ? resolve(command) : command
  const limits = { timeout: runMsMax, maxBuffer: outputBytesMax, cwd: folder }
  return new Promise((done, failed) => {
    const child = execFile(file, [...args], { encoding: 'utf8', ...limits }, (error, ...said) => {
      const [stdout, stderr] = said
      const code: unknown = error?.code
      if (error === null) done({ status: 0, stdout, stderr })
      else if (typeof code === 'number') done({ status: code, stdout, stderr })
      else failed(new Failure(reason(command, code)))
    })
    // Opa may end without having read everything.
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input)
  })
}

/** The folder, if it is one. Throws Failure. */
export function folderAt(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isDirectory() !== true) throw new Failure(`there is no folder ${path}`)
  return path
}

/** What opa complained about, without the blank lines around it. */
export function complaint({ stdout, stderr }: Said): string {
  return `${stderr}${stdout}`.trim()
}

function reason(command: string, code: unknown): string {
  if (code === 'ENOENT')
    return `${command} was not found: put the pinned opa on PATH, or name one with --opa`
  return `${command} did not finish (${typeof code === 'string' ? code : 'stopped'})`
}
