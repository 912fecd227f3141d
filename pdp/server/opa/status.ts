import type { BundleStatus } from '../../../bundles/supply.ts'
import type { Plugins } from './health.ts'

/** What a gate tells of itself in OPA's words. */
export type OpaFacts = {
  readonly labels: Readonly<Record<string, string>>
  readonly bundle: BundleStatus
  readonly plugins: Plugins
  /** Absent where decisions are not sent anywhere. */
  readonly decisionLogs?: object | undefined
}

/** The `result` of `/v1/status` (OPA: Management APIs, Status). */
export function opaStatus({ labels, bundle, plugins, decisionLogs }: OpaFacts): object {
  const { name, active_revision, code, message } = bundle
  const { last_request, last_successful_request, last_successful_activation } = bundle
  return {
    labels,
    bundles: {
      [name]: {
        name,
        active_revision,
        last_request,
        last_successful_request,
        last_successful_activation,
        code,
        message,
      },
    },
    plugins,
    ...(decisionLogs !== undefined && { decision_logs: decisionLogs }),
  }
}

/** What of the configuration OPA has names for. */
export type OpaSettings = {
  readonly labels: Readonly<Record<string, string>>
  readonly bundle: { readonly name: string; readonly source: string }
  readonly defaultDecision: readonly string[]
  readonly decisionLogs?: { readonly url: string } | undefined
}

/** The `result` of `/v1/config`: no secret, and no place of one. */
export function opaConfig(settings: OpaSettings): object {
  const { labels, bundle, defaultDecision, decisionLogs } = settings
  return {
    labels,
    default_decision: `/${defaultDecision.join('/')}`,
    default_authorization_decision: '/system/authz/allow',
    bundles: { [bundle.name]: { resource: bundle.source } },
    ...(decisionLogs && {
      services: { decision_logs: { url: decisionLogs.url } },
      decision_logs: { service: 'decision_logs', resource: '/logs' },
    }),
  }
}
