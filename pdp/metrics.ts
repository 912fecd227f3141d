import { collectDefaultMetrics, Registry } from 'prom-client'
import { count, counts as noCounts, publishCounts } from './metrics/counts.ts'
import { distributions } from './metrics/distribution.ts'
import { publishSources, type Sources } from './metrics/sources.ts'
import type { Observe } from './parts.ts'

/** The gate's numbers, counted as they happen and turned into Prometheus' text when scraped. */
export interface Metrics {
  readonly observe: Observe
  readonly contentType: string
  text(): Promise<string>
  /** The names of all metrics of ours, for the documentation. */
  names(): readonly string[]
}

const resourcesMax = 500
const decisionBounds = [5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 2.5e-2, 0.1]
const commandBounds = [5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 10, 60]

/** A registry of its own: two gates in one process do not mix. */
export function metrics(sources: Sources): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const counts = noCounts()
  const durations = {
    decision: distributions(registry, {
      name: 'postern_decision_seconds',
      help: 'Time policy took to answer, by whether the answer was cached',
      label: 'cached',
      bounds: decisionBounds,
      labelsMax: 2,
    }),
    command: distributions(registry, {
      name: 'postern_command_seconds',
      help: 'Time from the ruling to the end of the answer: the datastore and the way there',
      label: 'resource',
      bounds: commandBounds,
      labelsMax: resourcesMax,
    }),
  }
  const cached = durations.decision.of('true')
  const uncached = durations.decision.of('false')
  publishCounts(registry, counts)
  publishSources(registry, sources)

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    names: () =>
      registry
        .getMetricsAsArray()
        .map(({ name }) => name)
        .filter((name) => name.startsWith('postern_')),
    observe(happening) {
      count(counts, happening)
      if (happening.kind === 'decision') {
        const duration = happening.cached ? cached : uncached
        duration.add(happening.ns / 1e9)
      } else if (happening.kind === 'outcome') {
        durations.command.of(happening.resource).add(happening.ms / 1e3)
      }
    },
  }
}
