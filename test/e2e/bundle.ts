/** Bundles for tests: the library with the policies of test/e2e/policies, signed with the demo key. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { project } from '../../deploy/demo/gate.ts'
import { run } from './stage.ts'

/** Builds into `output`; `more` is the text of one more policy, `revision` what the bundle says of itself. */
export async function buildBundle(
  output: string,
  { revision = 'test', more = '' } = {},
): Promise<void> {
  const source = mkdtempSync(join(tmpdir(), 'postern-rego-'))
  cpSync(join(project, 'rego/postern'), join(source, 'postern'), { recursive: true })
  cpSync(join(project, 'test/e2e/policies'), join(source, 'policies'), { recursive: true })
  if (more !== '') writeFileSync(join(source, 'more.rego'), more)
  const key = join(project, 'bundles/demo/demo.key.pem')
  const built = await run(process.execPath, [
    ...[join(project, 'main.ts'), 'bundle', 'build', '--source', source],
    ...['--output', output, '--key', key, '--key-id', 'demo', '--revision', revision],
  ])
  rmSync(source, { recursive: true })
  if (built.status !== 0) throw new Error(`bundle build failed: ${built.stderr}${built.stdout}`)
}
