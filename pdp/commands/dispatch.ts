import { exits, type Io, meant, Usage } from './io.ts'
import { printable } from './printable.ts'

/** One word after `postern`. */
export type Command = {
  /** One line for the overview. */
  readonly about: string
  run(args: readonly string[], io: Io): Promise<number>
}

export type Program = {
  readonly version: string
  readonly commands: Readonly<Record<string, Command>>
}

/** Runs the command that the first argument names. Never throws; a mistake is one sentence and an exit code. */
export async function dispatch(program: Program, args: readonly string[], io: Io): Promise<number> {
  const [name, ...rest] = args
  try {
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      const text = overview(program)
      if (name === undefined) io.stderr(text)
      else io.stdout(text)
      return name === undefined ? exits.usage : exits.done
    }
    if (name === '--version' || name === '-v') {
      io.stdout(`postern ${program.version}\n`)
      return exits.done
    }
    return await commandOf(program, name).run(rest, io)
  } catch (error) {
    return explained(error, name ?? '', io)
  }
}

function commandOf({ commands }: Program, name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command !== undefined) return command
  const hint = meant(name, Object.keys(commands))
  const more = hint === undefined ? '' : `; did you mean ${hint}?`
  throw new Usage(`there is no command ${printable(name)}${more}`)
}

function explained(error: unknown, name: string, io: Io): number {
  if (error instanceof Usage) {
    io.stderr(`postern: ${error.message}\nTry: postern --help, or postern <command> --help\n`)
    return exits.usage
  }
  io.stderr(`postern ${printable(name)}: ${messageOf(error)}\n`)
  return exits.failed
}

/** What was thrown on purpose says enough; what V8 or a library threw is a mistake of ours, and needs its place. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const meant = error.constructor === Error || ['Failure', 'Refusal'].includes(error.name)
  return meant ? error.message : (error.stack ?? error.message)
}

function overview({ version, commands }: Program): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(
    ([name, { about }]) => `  ${name.padEnd(width)}  ${about}\n`,
  )
  return (
    `postern ${version}: a gate next to each datastore\n\nUsage: postern <command> [options]\n\n` +
    `${lines.join('')}\npostern <command> --help says more. ` +
    'Exit codes: 0 done, 1 failed or refused, 2 wrong usage.\n'
  )
}
