/** Makes sure that the real servers and clients of the tests are there: installs Debian's packages as root, else says how. */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'

type Need = { readonly package: string; readonly what: string; present(): boolean }

const needs: readonly Need[] = [
  { package: 'postgresql-15', what: 'a PostgreSQL server', present: () => serverFound() },
  { package: 'postgresql-client-15', what: 'psql and pgbench', present: () => onPath('psql') },
  {
    package: 'python3-psycopg',
    what: 'psycopg 3, run by /usr/bin/python3',
    present: () => spawnSync('/usr/bin/python3', ['-c', 'import psycopg']).status === 0,
  },
  { package: 'pgbouncer', what: 'the peer in make bench', present: () => onPath('pgbouncer') },
]

const missing = needs.filter((need) => !need.present())
if (missing.length > 0) {
  const names = missing.map((need) => need.package)
  if (process.getuid?.() === 0 && onPath('apt-get')) install(names)
  const still = missing.filter((need) => !need.present())
  if (still.length > 0) {
    for (const need of still) process.stderr.write(`missing: ${need.package} (${need.what})\n`)
    process.stderr.write(
      `Install them and run make again, on Debian 12 and its like with:\n  sudo apt-get install ${names.join(' ')}\n`,
    )
    process.exit(1)
  }
}
process.stdout.write('real servers and clients: all there\n')

function install(names: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  process.stdout.write(`installing ${names.join(' ')}\n`)
  for (const args of [['update'], ['install', '-y', '--no-install-recommends', ...names]])
    spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] })
}

function serverFound(): boolean {
  const base = '/usr/lib/postgresql'
  return existsSync(base) && readdirSync(base).some((v) => existsSync(`${base}/${v}/bin/initdb`))
}

function onPath(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin']
  return folders.some((folder) => existsSync(`${folder}/${program}`))
}
