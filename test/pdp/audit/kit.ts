import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { AuditEntry } from '../../../pdp/parts.ts'

/** A folder that is gone when the test is over. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'postern-audit-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A decision as the session records it. */
export function decision(over: {
  readonly id: string
  readonly subject?: string
  readonly actor?: string
  readonly resource?: string
  readonly effect?: string
  readonly rule?: string
  readonly text?: string
  readonly object?: string
  readonly session?: string
}): AuditEntry {
  const actor = over.actor === undefined ? null : { id: over.actor, type: 'agent', attested: true }
  return {
    kind: 'decision',
    session: over.session ?? 's1',
    decision_id: over.id,
    path: 'postern/decision',
    input: {
      v: 1,
      phase: 'command',
      subject: { id: over.subject ?? 'ada', type: 'human', groups: ['eng'], actor },
      resource: { id: over.resource ?? 'shop', protocol: 'postgres', labels: {} },
      action: {
        name: 'SELECT',
        effects: ['read'],
        objects: [{ kind: 'table', name: over.object ?? 'public.customers', access: 'read' }],
        text: over.text ?? 'select email from customers',
      },
    },
    result: {
      effect: over.effect ?? 'allow',
      reasons: [{ rule: over.rule ?? 'readable', code: 'ok', message: '' }],
      masks: [],
    },
    bundles: { postern: { revision: 'abc' } },
    metrics: { timer_rego_query_eval_ns: 1 },
  }
}

/** The lines of all files of a log. */
export function linesIn(folder: string): readonly string[] {
  return logFiles(folder).flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(0, -1))
}

/** The files of a log, oldest first. */
export function logFiles(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith('audit-'))
    .sort()
    .map((name) => join(folder, name))
}

/** Rewrites one file line by line. */
export function rewrite(file: string, change: (lines: string[]) => readonly string[]): void {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  writeFileSync(
    file,
    change(lines)
      .map((line) => `${line}\n`)
      .join(''),
  )
}
