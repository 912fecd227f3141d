/** `opa run --server` on loopback, asked over one kept connection: what a decision costs outside of the process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'

export interface OpaServer {
  /** Throws where the server does not answer with a decision. */
  decide(body: string): Promise<void>
  stop(): Promise<void>
}

const waitMsMax = 10_000
const pauseMs = 50

/** Starts the pinned opa with the policies of a folder. */
export async function opaServer(folder: string): Promise<OpaServer> {
  const opa = fileURLToPath(new URL('../.tools/opa', import.meta.url))
  const port = await freePort()
  const served = ['run', '--server', '--addr', `127.0.0.1:${port}`, '--log-level', 'error']
  const args = [...served, '--skip-version-check', '--ignore', '*_test.rego', '-b', folder]
  const child = spawn(opa, args, { stdio: 'ignore' })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const send = (path: string, body: string): Promise<string> => posted(agent, port, path, body)
  await ready(child, () => send('/v1/data/postern/decision', '{"input":{}}'))
  return {
    async decide(body) {
      if (!(await send('/v1/data/postern/decision', body)).includes('"effect"'))
        throw new Error('opa gave no decision')
    },
    async stop() {
      agent.destroy()
      child.kill()
      await once(child, 'exit')
    },
  }
}

async function ready(child: ChildProcess, ask: () => Promise<string>): Promise<void> {
  for (let waited = 0; waited < waitMsMax && child.exitCode === null; waited += pauseMs) {
    if (await ask().catch(() => undefined)) return
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
  }
  child.kill()
  throw new Error('opa run --server did not start')
}

function posted(agent: Agent, port: number, path: string, body: string): Promise<string> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, path, method: 'POST', headers })
    sent.on('error', reject)
    sent.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('end', () => resolve(text))
    })
    sent.end(body)
  })
}

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  listener.close()
  await once(listener, 'close')
  return port
}
