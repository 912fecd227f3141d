/** PostgreSQL's own regression suite, from the source package that Debian keeps for the server installed here. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the suite lies, and its scripts in the order the suite runs them. */
export type Suite = { readonly folder: string; readonly scripts: readonly string[] }

const tools = fileURLToPath(new URL('../../.tools/', import.meta.url))
const commandMsMax = 120_000

/** The suite of this major version, fetched once and kept out of the repository. Throws, saying what to do, when it cannot be had. */
export function regressionSuite(major: string): Suite {
  const folder = join(tools, `postgres-regress-${major}`)
  if (!existsSync(join(folder, 'parallel_schedule'))) fetched(major, folder)
  const schedule = readFileSync(join(folder, 'parallel_schedule'), 'utf8')
  const groups = [...schedule.matchAll(/^test: (.*)$/gm)]
  return { folder, scripts: groups.flatMap((group) => (group[1] ?? '').trim().split(/\s+/)) }
}

function fetched(major: string, folder: string): void {
  const scratch = mkdtempSync(join(tmpdir(), 'postern-regress-'))
  try {
    const archive = downloaded(`postgresql-${major}`, scratch)
    const unpacked = join(scratch, 'unpacked')
    mkdirSync(unpacked)
    const parts = ['sql', 'data', 'parallel_schedule'].map((part) => `*/src/test/regress/${part}`)
    execFileSync('tar', ['-xf', archive, '-C', unpacked, '--wildcards', ...parts])
    const [top = ''] = readdirSync(unpacked)
    mkdirSync(tools, { recursive: true })
    const kept = `${folder}.${process.pid}`
    execFileSync('cp', ['-r', join(unpacked, top, 'src/test/regress'), kept])
    rmSync(folder, { recursive: true, force: true })
    renameSync(kept, folder)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The newest version the mirror still has; the index may name one that is gone. */
function downloaded(name: string, scratch: string): string {
  const options = aptOptions(scratch)
  const apt = (program: string, ...args: string[]): string =>
    spawnSync(program, [...options, ...args], {
      cwd: scratch,
      encoding: 'utf8',
      timeout: commandMsMax,
    }).stdout ?? ''
  apt('apt-get', 'update')
  const versions = [...apt('apt-cache', 'showsrc', name).matchAll(/^Version: (.*)$/gm)]
  for (const version of versions.map((match) => match[1] ?? '').sort(descending)) {
    apt('apt-get', 'source', '--download-only', `${name}=${version}`)
    const archive = readdirSync(scratch).find((file) => file.includes('.orig.tar.'))
    if (archive !== undefined) return join(scratch, archive)
  }
  throw new Error(
    `the source package ${name} cannot be fetched with apt-get source, so the regression suite cannot be replayed.\n` +
      `Unpack src/test/regress/{sql,data,parallel_schedule} of the PostgreSQL source into .tools/postgres-regress-${name.split('-')[1]}/ and run again.`,
  )
}

const descending = (a: string, b: string): number =>
  b.localeCompare(a, 'en', { numeric: true, sensitivity: 'base' })

/** The machine's own mirrors, asked for sources, without a change to the machine. */
function aptOptions(scratch: string): readonly string[] {
  const sources = join(scratch, 'sources')
  for (const folder of ['sources', 'lists/partial', 'cache/archives/partial'])
    mkdirSync(join(scratch, folder), { recursive: true })
  for (const [index, file] of machineSources().entries())
    writeFileSync(join(sources, `${index}.${file.style}`), file.text)
  return [
    'Dir::Etc::sourcelist=/dev/null',
    `Dir::Etc::sourceparts=${sources}`,
    `Dir::State::lists=${join(scratch, 'lists')}`,
    `Dir::Cache=${join(scratch, 'cache')}`,
    'APT::Sandbox::User=',
  ].flatMap((option) => ['-o', option])
}

type Source = { readonly style: 'list' | 'sources'; readonly text: string }

function machineSources(): readonly Source[] {
  const root = '/etc/apt'
  const parts = join(root, 'sources.list.d')
  const names = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : []
  return [join(root, 'sources.list'), ...names].filter(existsSync).flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    if (file.endsWith('.list')) return { style: 'list' as const, text: fromLines(text) }
    if (file.endsWith('.sources')) return { style: 'sources' as const, text: fromStanzas(text) }
    return []
  })
}

/** Other people's archives have no PostgreSQL of Debian's. */
const codename = (): string =>
  /^VERSION_CODENAME=(.*)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? ''

function fromLines(text: string): string {
  const suite = new RegExp(`^deb\\s.*\\s${codename()}(-\\S+)?\\s`)
  const lines = text.split('\n').filter((line) => suite.test(line))
  return `${lines.map((line) => line.replace(/^deb/, 'deb-src')).join('\n')}\n`
}

function fromStanzas(text: string): string {
  const suite = new RegExp(`^Suites:.*\\b${codename()}(\\s|-|$)`, 'm')
  const stanzas = text.split(/\n\s*\n/).filter((stanza) => suite.test(stanza))
  return `${stanzas.map((stanza) => stanza.replace(/^Types:.*$/m, 'Types: deb-src')).join('\n\n')}\n`
}
