import { type Response, Router } from 'express'
import type { ManagedEngine } from '../../engine/engine.ts'
import { flag, valuesOf } from './reply.ts'

export type HealthParts = {
  readonly engine: Pick<ManagedEngine, 'query' | 'status'>
  /** The state of what OPA calls plugins. */
  plugins(): Plugins
}

export type Plugins = Readonly<Record<string, { readonly state: 'OK' | 'NOT_READY' | 'ERROR' }>>

/** `/health`: the process lives and, where asked, has its bundle and its plugins (OPA: REST API, Health API). */
export function opaHealthRoutes({ engine, plugins }: HealthParts): Router {
  const router = Router({ caseSensitive: true, strict: true })

  router.get('/health', (request, response) => {
    const states = Object.entries(plugins())
    const excluded = valuesOf(request, 'exclude-plugin')
    if (flag(request, 'bundles') && engine.status().bundle === undefined)
      return tell(response, 'not all configured bundles have been activated')
    const asked = states.filter(([name]) => !excluded.includes(name))
    if (flag(request, 'plugins') && asked.some(([, { state }]) => state !== 'OK'))
      return tell(response, 'not all plugins in OK state')
    tell(response)
  })

  router.get('/health/*rule', async (request, response) => {
    const rule = request.path.slice('/health/'.length).split('/')
    const states = plugins()
    const ready = Object.values(states).every(({ state }) => state === 'OK')
    const pluginState = Object.fromEntries(
      Object.entries(states).map(([name, { state }]) => [name, state]),
    )
    const input = { plugins_ready: ready, plugin_state: pluginState }
    const answer = await engine.query({ path: ['system', 'health', ...rule], input })
    const what = `health check (data.system.health.${rule.join('.')})`
    if (answer.kind !== 'value') return tell(response, `${what} was undefined`)
    if (answer.value === true) return tell(response)
    tell(response, `${what} returned unexpected value`)
  })

  return router
}

function tell(response: Response, error?: string): void {
  response.status(error === undefined ? 200 : 500).setHeader('Content-Type', 'application/json')
  response.end(`${JSON.stringify(error === undefined ? {} : { error })}\n`)
}
