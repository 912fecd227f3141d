/** Stock OPA fetches from the bundle server, checks the signature with its own key, and hears of the next bundle while it waits. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import express from 'express'
import { expect, onTestFinished, test } from 'vitest'
import { readArchive } from '../../bundles/archive.ts'
import { sha256 } from '../../bundles/digest.ts'
import type { Publisher } from '../../bundles/server/publisher.ts'
import { packSigned } from '../../bundles/sign.ts'
import { freePort } from '../../deploy/demo/ports.ts'
import { secret } from '../../pdp/secret.ts'
import { bundleApiRoutes } from '../../pdp/server/bundle-api.ts'
import { listening } from '../../pdp/server/listen.ts'
import { ecPair, file, ours, scratch } from './kit.ts'
import { served, shared } from './serving.ts'

const opa = new URL('../../.tools/opa', import.meta.url).pathname
const soon = { timeout: 15_000, interval: 50 }

/** `opa run --server` that fetches /bundles/main from there. */
async function startOpa(server: string, key: string) {
  const port = await freePort()
  const config = {
    services: { postern: { url: server, credentials: { bearer: { token: shared } } } },
    keys: { main: { algorithm: 'ES256', key } },
    bundles: {
      main: {
        service: 'postern',
        resource: 'bundles/main.tar.gz',
        signing: { keyid: 'main' },
        polling: { long_polling_timeout_seconds: 30 },
      },
    },
  }
  const path = join(scratch(), 'opa.json')
  writeFileSync(path, JSON.stringify(config))
  const args = ['run', '--server', '--addr', `127.0.0.1:${port}`, '-c', path]
  const child: ChildProcess = spawn(opa, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const data = async (of: string): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/data/${of}`).catch(() => undefined)
    return ((await answer?.json()) as { readonly result?: unknown } | undefined)?.result
  }
  return { data, said: () => said }
}

/** What is published is written by the test: OPA without a WebAssembly engine runs Rego alone. */
async function publishing() {
  const folder = scratch()
  mkdirSync(join(folder, 'main'))
  const watchers = new Set<() => void>()
  const asked: (string | undefined)[] = []
  let digest = ''
  const publisher: Pick<Publisher, 'releaseFor' | 'open' | 'watch'> = {
    releaseFor: () => ({ digest, revision: '', sequence: 1, bytes, pushed_ms: 0, pushed_by: '' }),
    open: (name, wanted) => open(join(folder, name, wanted)),
    watch(_name, changed) {
      watchers.add(changed)
      return () => void watchers.delete(changed)
    },
  }
  let bytes = 0
  const pulling = {
    identity: { identify: () => Promise.reject(new Error('nobody')) },
    groups: [],
    token: async () => secret(shared),
    certificates: false,
    open: false,
  }
  const stopping = new AbortController().signal
  const routes = bundleApiRoutes({
    publisher: publisher as Publisher,
    pulling,
    waitersMax: 2,
    stopping,
  })
  const app = express().use((request, _response, next) => {
    asked.push(request.headers['if-none-match'])
    next()
  }, routes)
  const web = await listening(app, { host: '127.0.0.1', port: 0 })
  onTestFinished(() => web.close(0))
  return {
    url: `http://127.0.0.1:${web.port}`,
    asked,
    waiting: () => watchers.size,
    async publish(answer: number) {
      const rego = `package postern\n\nanswer := ${answer}\n`
      const manifest = { revision: `r${answer}`, roots: ['postern'] }
      const list = [file('.manifest', JSON.stringify(manifest)), file('postern/p.rego', rego)]
      const bundle = await packSigned(list, { pem: ours.private, id: 'main', sequence: answer })
      digest = sha256(bundle)
      bytes = bundle.length
      writeFileSync(join(folder, 'main', digest), bundle)
      for (const changed of [...watchers]) changed()
      return digest
    },
  }
}

test('opa run takes each bundle as soon as it is published, by waiting for it', async () => {
  const server = await publishing()
  const first = await server.publish(1)
  const agent = await startOpa(server.url, ours.public)
  await expect.poll(() => agent.data('postern/answer'), soon).toBe(1)
  await expect.poll(server.waiting, soon).toBe(1)
  await server.publish(2)
  await expect.poll(() => agent.data('postern/answer'), soon).toBe(2)
  // OPA asks with the tag exactly as we gave it.
  expect(server.asked).toContain(`"${first}"`)
})

test('opa run refuses what its own key does not verify', async () => {
  const server = await publishing()
  await server.publish(1)
  const agent = await startOpa(server.url, ecPair().public)
  await expect.poll(agent.said, soon).toContain('failed to verify JWT signature')
  expect(await agent.data('postern/answer')).toBeUndefined()
})

test('what was pushed for gates is fetched and verified by stock opa too', async () => {
  const server = await served()
  const demo = readFileSync(new URL('../../bundles/demo/demo.tar.gz', import.meta.url))
  const signing = { pem: ours.private, id: 'default', sequence: 1 }
  const pushed = await server.push(await packSigned(await readArchive(demo), signing))
  expect(pushed.status).toBe(201)
  const agent = await startOpa(server.url, ours.public)
  // The signature holds; this build of OPA has no engine for the module, one with WebAssembly has.
  await expect.poll(agent.said, soon).toMatch(/engine not found|Bundle loaded and activated/)
  expect(agent.said()).not.toContain('failed to verify')
})
