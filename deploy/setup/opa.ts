/** Puts the pinned `opa` into .tools: from PATH, else the official release, else built from source. */
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const version = '1.19.1'
/** Releases whose digest we know; other platforms build from source. */
const releases: Readonly<Record<string, { readonly file: string; readonly sha256: string }>> = {
  'linux-x64': {
    file: 'opa_linux_amd64_static',
    sha256: 'c9f985ce0d345f5484006ade2c695ed9e3f308e4441139e46695c5c182ac0839',
  },
}
const folder = fileURLToPath(new URL('../../.tools/', import.meta.url))
const target = `${folder}opa`

const say = (text: string): boolean => process.stdout.write(`opa ${version}: ${text}\n`)

mkdirSync(folder, { recursive: true })
if (found(target)) say('already in .tools')
else if (linked()) say('taken from PATH')
else if (await downloaded()) say('downloaded, checksum verified')
else if (built()) say('built from source with go install')
else {
  process.stderr.write(
    `opa ${version} is needed to test and build policies and could not be had.\n` +
      `Install it so that it is on PATH, or install Go 1.24 or newer, and run make setup again.\n`,
  )
  process.exit(1)
}

function found(command: string): boolean {
  const run = spawnSync(command, ['version'], { encoding: 'utf8' })
  return run.status === 0 && run.stdout.includes(`Version: ${version}`)
}

function linked(): boolean {
  const path = (process.env['PATH'] ?? '')
    .split(':')
    .filter((folder) => existsSync(`${folder}/opa`))
  const exact = path.find((folder) => found(`${folder}/opa`))
  if (exact === undefined) return false
  symlinkSync(`${exact}/opa`, target)
  return true
}

async function downloaded(): Promise<boolean> {
  const release = releases[`${process.platform}-${process.arch}`]
  if (release === undefined) return false
  const base = 'https://github.com/open-policy-agent/opa/releases/download'
  const answer = await fetch(`${base}/v${version}/${release.file}`, {
    signal: AbortSignal.timeout(60_000),
  }).catch(() => undefined)
  if (answer === undefined || !answer.ok) return false
  const bytes = Buffer.from(await answer.arrayBuffer())
  if (createHash('sha256').update(bytes).digest('hex') !== release.sha256) {
    say('the download has the wrong checksum and was thrown away')
    return false
  }
  writeFileSync(target, bytes)
  chmodSync(target, 0o755)
  return found(target)
}

function built(): boolean {
  try {
    execFileSync('go', ['install', `github.com/open-policy-agent/opa@v${version}`], {
      env: { ...process.env, GOBIN: folder },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  } catch {
    return false
  }
  return found(target)
}
