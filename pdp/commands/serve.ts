import { openSearch } from '../audit/search.ts'
import { log } from '../log.ts'
import type { Observe } from '../parts.ts'
import { identityOf } from './parts.ts'
import { openApi } from './serve/api.ts'
import { courtOf } from './serve/court.ts'
import { sending } from './serve/decision-logs.ts'
import { measured } from './serve/numbers.ts'
import { supplied } from './serve/policy.ts'
import { publishing } from './serve/publishing.ts'
import { reporting } from './serve/reporting.ts'
import { graceMs, type Running, type Serving } from './serve/serving.ts'
import { closeWays, openWay } from './serve/ways.ts'
import { shadowing } from './shadowing.ts'
import { endOnCrash } from './stop.ts'

/** Runs a gate until it is told to stop. Throws Failure or Refusal when it cannot start; whatever was open is closed. */
export async function serve(serving: Serving): Promise<void> {
  const { settings, version } = serving
  await using opened = new AsyncDisposableStack()
  const hearers: Observe[] = []
  const journal = log(settings.log.level)
  endOnCrash(journal)
  const court = await courtOf(serving, hearers)
  opened.defer(() => court.close())
  const search = openSearch(settings.audit.folder, (error) =>
    journal.error('index of the record failed', {}, error),
  )
  opened.defer(() => search.close())
  const { policy, close } = supplied(settings, court)
  opened.defer(close)
  const beside = shadowing({
    settings,
    observe: court.observe,
    failed: (error) => journal.error('candidate in the shadow failed', {}, error),
  })
  opened.defer(() => beside.close())
  const { decisionLog, ...logs } = sending(serving, { court, journal })
  opened.defer(() => logs.close())
  const numbers = measured(court, version, { ...beside, decisionLog })
  const telling = reporting(serving, { court, policy, journal })
  opened.defer(() => telling.close())
  hearers.push(journal.observe, numbers.observe, telling.observe)
  const identity = identityOf(settings.identity)
  const parts = { court, search, identity, policy, beside, journal, numbers, decisionLog }
  const published = await publishing(serving, identity)
  const running: Running = { ...parts, publishing: published, ways: [], phase: 'starting' }

  const api = await openApi(serving, running)
  opened.defer(() => api.close(graceMs))
  opened.defer(() => published?.stop())
  opened.defer(() => closeWays(running.ways))
  for (const listener of settings.listeners)
    running.ways.push(await openWay(serving, running, listener))
  running.phase = 'serving'
  journal.info('gate started', { version, listeners: running.ways.length, server_port: api.port })
  const signal = await serving.stopped()
  running.phase = 'stopping'
  journal.info('gate stopping', { signal })
}
