#!/usr/bin/env node
/** `postern`: the command line, and the only place that wires the parts. */
import { bundleCommand } from './bundles/command.ts'
import { defaultKeyId } from './bundles/sign.ts'
import { trustSet } from './bundles/trust.ts'
import { verifyBundle } from './bundles/verify.ts'
import { type Config, describe, loadConfig } from './config.ts'
import manifest from './package.json' with { type: 'json' }
import { auditCommand } from './pdp/audit/command.ts'
import { check, currentBundle } from './pdp/commands/check.ts'
import { coverageCommand } from './pdp/commands/coverage.ts'
import { decideCommand } from './pdp/commands/decide.ts'
import { dispatch } from './pdp/commands/dispatch.ts'
import { explainCommand } from './pdp/commands/explain.ts'
import { fleetCommand } from './pdp/commands/fleet.ts'
import { type GrantsParts, grantsCommand } from './pdp/commands/grants.ts'
import { holdsCommand } from './pdp/commands/holds.ts'
import { impactCommand } from './pdp/commands/impact.ts'
import { initCommand } from './pdp/commands/init.ts'
import {
  exits,
  Failure,
  fileBytes,
  type Given,
  given,
  type Io,
  textOf,
  Usage,
} from './pdp/commands/io.ts'
import { mutateCommand } from './pdp/commands/mutate.ts'
import { pemOf } from './pdp/commands/parts.ts'
import { abortCommand, promoteCommand, pushCommand } from './pdp/commands/publish.ts'
import { rollbackCommand } from './pdp/commands/rollback.ts'
import type { Door } from './pdp/commands/serve/serving.ts'
import { serve } from './pdp/commands/serve.ts'
import type { ListenerSettings, Settings } from './pdp/commands/settings.ts'
import { shadowCommand } from './pdp/commands/shadow.ts'
import { statusCommand } from './pdp/commands/status.ts'
import { toldToStop } from './pdp/commands/stop.ts'
import { testCommand } from './pdp/commands/test.ts'
import type { Gate } from './pdp/contract.ts'
import type { PolicyBundle } from './pdp/parts.ts'
import { sidecars } from './sidecars/index.ts'
import { listen } from './sidecars/listen.ts'
import { probes } from './sidecars/probes.ts'
import { roles } from './sidecars/roles.ts'

const { version } = manifest

const program = {
  version,
  commands: {
    serve: { about: 'starts the gate', run: serveCommand },
    check: {
      about: 'tries everything the configuration names, without serving',
      run: checkCommand,
    },
    decide: {
      about: 'answers one question from a file as policy would',
      run: (args: readonly string[], io: Io) => decideCommand(args, io, bundleFor(io)),
    },
    impact: {
      about: 'shows what a candidate bundle would have answered to recorded traffic',
      run: (args: readonly string[], io: Io) => impactCommand(args, io, bundleFor(io)),
    },
    shadow: {
      about: 'shows what the candidate beside the active bundle would have answered',
      run: shadowCommand,
    },
    init: { about: 'writes the start of a repository of policies', run: initCommand },
    test: { about: 'runs the tests of policies on what gates run', run: testCommand },
    coverage: {
      about: 'lists the rules of policies that never fired, in production or in tests',
      run: coverageCommand,
    },
    explain: {
      about: 'shows why a decision on record is what it is',
      run: (args: readonly string[], io: Io) =>
        explainCommand(args, io, {
          load: bundleFor(io),
          locate: (options) => named(options, io).audit.folder,
        }),
    },
    push: { about: 'publishes a bundle, for all gates or for a canary', run: pushCommand },
    promote: { about: 'gives a canary to all gates', run: promoteCommand },
    abort: { about: 'ends a canary with a newer bundle for all gates', run: abortCommand },
    fleet: { about: 'shows what every gate runs, and where they differ', run: fleetCommand },
    rollback: {
      about: 'allows this gate to go back to one older bundle',
      run: (args: readonly string[], io: Io) =>
        rollbackCommand(args, io, (options) => named(options, io)),
    },
    bundle: { about: 'builds, signs, verifies and inspects policy bundles', run: bundleCommand },
    audit: {
      about: 'verifies, searches and shows the record',
      run: (args: readonly string[], io: Io) =>
        auditCommand(args, io, (options) => named(options, io).audit.folder),
    },
    holds: { about: 'shows commands that wait for a person, and answers them', run: holdsCommand },
    grants: {
      about: 'prints the rights of the role that sealed sessions log in with',
      run: (args: readonly string[], io: Io) => grantsCommand(args, io, grantsParts(io)),
    },
    status: { about: 'shows what a running gate says of itself', run: statusCommand },
  },
} as const

const configHelp = `  --config FILE       the gate's configuration (or POSTERN_CONFIG; default postern.yaml)
`

const serveHelp = `Usage: postern serve [--config FILE]

Starts the gate: one listener per datastore, and the HTTP server. Stops on SIGTERM or SIGINT.

${configHelp}`

const checkHelp = `Usage: postern check [--database NAME] [--config FILE]
       postern check --mutate ...: tries policies instead; postern check --mutate --help says how

Tries everything the configuration names, and reports every problem at once: files, keys, bundle, issuer,
certificates, the gate's own login to each datastore, and the rights of the role of sealed sessions.

  --database NAME     where to look at the rights of that role
${configHelp}`

async function serveCommand(args: readonly string[], io: Io): Promise<number> {
  const config = configured(args, io, serveHelp)
  if (config === undefined) return exits.done
  const { limits } = config
  const described = describe(config)
  await serve({
    settings: config,
    described,
    version,
    env: io.env,
    openDoor: (listener, gate) => openDoor(listener, gate, limits),
    stopped: toldToStop,
  })
  return exits.done
}

async function checkCommand(args: readonly string[], io: Io): Promise<number> {
  if (args.includes('--mutate')) return mutateCommand(args, io, bundleFor(io))
  const options = given(args, { config: 'string', database: 'string', help: 'boolean' })
  if (!understood(options, io, checkHelp)) return exits.done
  return check(
    {
      settings: named(options, io, io.env),
      probe: ({ protocol }, upstream, credential) => spoken(probes, protocol)(upstream, credential),
      verify: ({ protocol }, granting) => spoken(roles, protocol).verify(granting),
      database: textOf(options, 'database'),
    },
    io,
  )
}

async function openDoor(
  listener: ListenerSettings,
  gate: Gate,
  limits: Settings['limits'],
): Promise<Door> {
  const { host, port, protocol, tls } = listener
  const { connectionsMax, frameBytesMax } = limits
  return listen({
    sidecar: spoken(sidecars, protocol),
    gate,
    host,
    port,
    connectionsMax,
    frameBytesMax,
    ...(tls !== undefined && { tls: pemOf(tls) }),
  })
}

/** The entry for a protocol, which config.ts has checked to be one of ours. */
function spoken<Entry>(table: Readonly<Record<string, Entry>>, protocol: string): Entry {
  const entry = Object.hasOwn(table, protocol) ? table[protocol] : undefined
  if (entry === undefined) throw new Failure(`there is no protocol ${protocol}`)
  return entry
}

function grantsParts(io: Io): GrantsParts {
  return {
    settings: (options) => named(options, io, io.env),
    data: async (options) => (await currentBundle(named(options, io).bundle)).data,
    script: (protocol, granting) => spoken(roles, protocol).grants(granting),
  }
}

/** The bundle that `postern decide` is to ask: from the command line, or the gate's own. */
function bundleFor(io: Io): (options: Given) => Promise<PolicyBundle> {
  return async (options) => {
    const bundle = textOf(options, 'bundle')
    if (bundle === undefined) return currentBundle(named(options, io).bundle)
    const key = textOf(options, 'key')
    if (key === undefined) throw new Usage('--bundle needs --key FILE: the public key to trust')
    const demo = options.values['demo'] === true
    const id = textOf(options, 'key-id') ?? defaultKeyId
    const trust = trustSet({ keys: [{ id, pem: fileBytes(key).toString() }], demo })
    return verifyBundle(fileBytes(bundle), trust, { name: 'bundle' })
  }
}

/** The configuration the command line names; undefined when only help was asked for. */
function configured(args: readonly string[], io: Io, help: string): Config | undefined {
  const options = given(args, { config: 'string', help: 'boolean' })
  return understood(options, io, help) ? named(options, io, io.env) : undefined
}

/** Whether there is something to do besides saying what can be done. Throws Usage. */
function understood(options: Given, io: Io, help: string): boolean {
  if (options.words.length > 0) throw new Usage(`${options.words.join(' ')} is too much`)
  if (options.values['help'] !== true) return true
  io.stdout(help)
  return false
}

/** With `env`, the files and variables that the configuration names must be there too. */
function named(options: Given, io: Io, env?: Io['env']): Config {
  const path = textOf(options, 'config') ?? io.env['POSTERN_CONFIG'] ?? 'postern.yaml'
  return loadConfig(path, Object.keys(sidecars), env)
}

/** Runs one command line and answers its exit code. Never throws. */
export function main(args: readonly string[], io: Io): Promise<number> {
  return dispatch(program, args, io)
}

if (import.meta.main) {
  const status = await main(process.argv.slice(2), {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: process.env,
  })
  process.exit(status)
}
