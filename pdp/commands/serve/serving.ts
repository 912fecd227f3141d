/** What the parts of a running gate know of each other. */
import type { Supply } from '../../../bundles/supply.ts'
import type { AuditSearch } from '../../audit/search.ts'
import type { Gate } from '../../contract.ts'
import type { OpenCourt } from '../../court.ts'
import type { DecisionLog } from '../../export/decision-log.ts'
import type { GateKeeper } from '../../gate.ts'
import type { Log } from '../../log.ts'
import type { Metrics } from '../../metrics.ts'
import type { Identity } from '../../parts.ts'
import type { Publishing } from '../../server/publishing.ts'
import type { Readiness } from '../../server/readiness.ts'
import type { Io } from '../io.ts'
import type { ListenerSettings, Settings } from '../settings.ts'
import type { Shadowing } from '../shadowing.ts'

/** What the composition root adds: everything that knows a protocol or the form of the settings. */
export type Serving = {
  readonly settings: Settings
  /** The settings for people: no secret in them. */
  readonly described: object
  readonly version: string
  readonly env: Io['env']
  openDoor(listener: ListenerSettings, gate: Gate): Promise<Door>
  /** Resolves when the gate shall stop. */
  stopped(): Promise<string>
}

/** An open listener of some protocol. */
export interface Door {
  readonly port: number
  connections(): number
  close(graceMs: number): Promise<void>
}

/** One listener with the gate behind it. */
export type Way = { readonly id: string; readonly keeper: GateKeeper; readonly door: Door }

/** The parts of a gate that runs. */
export type Running = {
  readonly court: OpenCourt
  readonly search: AuditSearch
  readonly identity: Identity
  readonly policy: Supply
  readonly beside: Shadowing
  readonly ways: Way[]
  readonly journal: Log
  readonly numbers: Metrics
  readonly publishing: Publishing | undefined
  readonly decisionLog: DecisionLog | undefined
  phase: Readiness['phase']
}

/** How long open sessions may go on after the gate was told to stop. */
export const graceMs = 5_000
