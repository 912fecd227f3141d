import { Histogram, type Registry } from 'prom-client'

/** How values spread over fixed buckets. Adding one costs a few nanoseconds. */
export interface Distribution {
  add(value: number): void
}

/** What Prometheus calls a histogram, kept in typed arrays and turned into text when scraped. */
export type Distributions = {
  /** The distribution for one label value; at most `labelsMax`, then all share the last. */
  of(label: string): Distribution
}

type Spread = Distribution & { readonly counts: Float64Array; sum(): number }

type Shape = {
  readonly name: string
  readonly help: string
  readonly label: string
  /** Upper bounds, ascending, in the metric's unit. */
  readonly bounds: readonly number[]
  readonly labelsMax: number
}

/** Registers a histogram with one label. */
export function distributions(registry: Registry, shape: Shape): Distributions {
  const { name, help, label, bounds, labelsMax } = shape
  const spreads = new Map<string, Spread>()
  const beyond = spread(bounds)
  const metric = new Histogram({
    name,
    help,
    labelNames: [label],
    buckets: [...bounds],
    registers: [registry],
  })

  // prom-client can only observe one value at a time; the registry asks a metric for these two.
  const get = async () => ({
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    values: [...spreads].flatMap(([value, spread]) => samples(shape, value, spread)),
  })
  Object.assign(metric, { get, getForPromString: get })

  return {
    of(value) {
      const found = spreads.get(value)
      if (found !== undefined) return found
      const fresh = spreads.size < labelsMax ? spread(bounds) : beyond
      spreads.set(fresh === beyond ? 'other' : value, fresh)
      return fresh
    },
  }
}

function spread(bounds: readonly number[]): Spread {
  const limits = Float64Array.from(bounds)
  const counts = new Float64Array(limits.length + 1)
  let sum = 0
  return {
    counts,
    sum: () => sum,
    add(value) {
      let at = 0
      while (at < limits.length && value > (limits[at] ?? 0)) at++
      counts[at] = (counts[at] ?? 0) + 1
      sum += value
    },
  }
}

/** Prometheus' cumulative buckets (text format 0.0.4), then sum and count. */
function samples({ name, label, bounds }: Shape, value: string, spread: Spread) {
  let total = 0
  const buckets = [...spread.counts].map((count, at) => {
    total += count
    const labels = { [label]: value, le: bounds[at] ?? '+Inf' }
    return { metricName: `${name}_bucket`, labels, value: total }
  })
  const labels = { [label]: value }
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: spread.sum() },
    { metricName: `${name}_count`, labels, value: total },
  ]
}
