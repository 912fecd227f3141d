import type { AuditStatus } from '../audit/log.ts'
import type { EngineStatus } from '../engine/engine.ts'

/** What readiness depends on. */
export type Readiness = {
  /** Undefined where nothing is decided. */
  readonly engine: EngineStatus | undefined
  readonly audit: AuditStatus
  /** Why no newer bundle came, if there is a reason. */
  readonly bundleProblem: string | undefined
  readonly phase: 'starting' | 'serving' | 'stopping'
}

/** Why the gate refuses everything now, each with what is known of the cause; empty when it does not. */
export function unreadyReasons({
  engine,
  audit,
  bundleProblem,
  phase,
}: Readiness): readonly string[] {
  const cause = bundleProblem === undefined ? '' : `: ${bundleProblem}`
  const { failed } = audit
  return [
    ...(phase === 'starting' ? ['the listeners are not open yet'] : []),
    ...(phase === 'stopping' ? ['the gate is stopping'] : []),
    ...(engine !== undefined && engine.bundle === undefined
      ? [`no policy bundle is active${cause}`]
      : []),
    ...(engine?.bundle?.stale === true ? [`the policy bundle is stale or expired${cause}`] : []),
    ...(failed === undefined ? [] : [`the record cannot be written since ${failed.since}`]),
  ]
}
