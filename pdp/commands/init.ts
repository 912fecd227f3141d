import { writeStarter } from '../authoring/starter.ts'
import { exits, given, type Io, Usage } from './io.ts'

const help = `Usage: postern init [FOLDER]

Writes a repository of policies into a folder (default: this one): the library, two policies with tests, data, a Makefile
and a workflow that test, show the impact, build, sign and push. Overwrites nothing.
`

/** `postern init`: the start of a repository of policies. */
export async function initCommand(args: readonly string[], io: Io): Promise<number> {
  const options = given(args, { help: 'boolean' })
  if (options.values['help'] === true) {
    io.stdout(help)
    return exits.done
  }
  const [folder = '.', ...more] = options.words
  if (more.length > 0) throw new Usage(`one folder at a time: ${more.join(' ')} is too much`)
  const files = await writeStarter(folder)
  io.stdout(
    `${files.length} files written to ${folder}. Next: make test there, then see README.md.\n`,
  )
  return exits.done
}
