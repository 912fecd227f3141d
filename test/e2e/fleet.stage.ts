/** A bundle server and gates that fetch from it, each a process with a folder of its own. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readArchive } from '../../bundles/archive.ts'
import { addSignature, packSigned, type SignOptions } from '../../bundles/sign.ts'
import { ecPair, edit, type Pair } from '../bundles/kit.ts'
import { type Home, home, postern, project, type Ran, type Serving, serving } from '../gate.ts'

export const pair = ecPair()
export const gateToken = 'gates-share-this-4f2c'

/** What the demo's policy is signed as: a revision and a sequence. */
export async function signed(
  revision: string,
  sequence: number,
  more: Partial<SignOptions> = {},
): Promise<Buffer> {
  const demo = await readArchive(readFileSync(join(project, 'bundles/demo/demo.tar.gz')))
  const manifest = demo.find(({ name }) => name === '.manifest')
  const fields: object = JSON.parse(String(manifest?.content))
  const files = edit(demo, '.manifest', JSON.stringify({ ...fields, revision }))
  return packSigned(files, { pem: pair.private, id: 'main', sequence, ...more })
}

/** The same bundle with one more signature. */
export const signedToo = (bundle: Buffer, id: string, { private: pem }: Pair): Promise<Buffer> =>
  addSignature(bundle, { pem, id })

const keys = `[{ id: main, algorithm: ES256, file: ./main.pub.pem }]`

export type Server = {
  readonly home: Home
  readonly url: string
  readonly running: Serving
  /** `postern ...` as the pipeline, or as somebody in other groups. */
  run(args: readonly string[], groups?: readonly string[]): Promise<Ran>
  /** Writes a bundle and pushes it. */
  push(bundle: Buffer, ...args: string[]): Promise<Ran>
}

/** Starts a bundle server without listeners. */
export async function startServer(pull = '{ token: { file: ./gates } }'): Promise<Server> {
  const at = await home((text) =>
    text
      .replace(/bundle:[\s\S]*(?=admin:)/, `bundle:\n  keys: ${keys}\n`)
      .replace(/listeners:[\s\S]*/, '')
      .concat(`bundle_server:\n  keep: 3\n  push: { groups: [ci] }\n  pull: ${pull}\n`),
  )
  writeFileSync(join(at.folder, 'main.pub.pem'), pair.public)
  writeFileSync(join(at.folder, 'gates'), `${gateToken}\n`)
  const running = await serving(at)
  const { url } = running
  let pushed = 0
  const run: Server['run'] = async (args, groups = ['ci', 'admins']) => {
    const token = await at.token('pipeline', groups)
    return postern(at, args, { POSTERN_SERVER: url, POSTERN_TOKEN: token })
  }
  return {
    home: at,
    url,
    running,
    run,
    push(bundle, ...args) {
      pushed += 1
      const file = join(at.folder, `pushed-${pushed}.tar.gz`)
      writeFileSync(file, bundle)
      return run([
        args[0] === 'abort' ? 'abort' : 'push',
        '--bundle',
        file,
        ...args.filter((arg) => arg !== 'abort'),
      ])
    },
  }
}

export type Member = {
  readonly home: Home
  readonly url: string
  /** What the gate says of its bundle. */
  bundle(): Promise<Readonly<Record<string, unknown>>>
}

/** Starts a gate that fetches from there and reports there. */
export async function startMember(server: string, name: string, labels: string): Promise<Member> {
  const auth = `auth: { bearer: { file: ./gates } }`
  const at = await home((text) =>
    text
      .replace(/source: .*/, `source: ${server}/bundles/postern\n  ${auth}\n  poll_s: 1`)
      .replace(/ {2}demo: true\n/, '')
      .replace(/keys: .*/, `keys: ${keys}`)
      .concat(
        `gate:\n  name: ${name}\n  labels: ${labels}\n  report: { url: '${server}', ${auth} }\n`,
      ),
  )
  writeFileSync(join(at.folder, 'main.pub.pem'), pair.public)
  writeFileSync(join(at.folder, 'gates'), `${gateToken}\n`)
  const { url, log } = await serving(at)
  return {
    home: at,
    url,
    async bundle() {
      const authorization = `Bearer ${await at.token('root', ['admins'])}`
      const answer = await fetch(`${url}/v1/status`, { headers: { authorization } })
      if (!answer.ok) throw new Error(`${await answer.text()}\n${log()}`)
      const status = (await answer.json()) as { readonly bundle: Record<string, unknown> }
      return status.bundle
    },
  }
}
