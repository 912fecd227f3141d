import { beforeAll, expect, test } from 'vitest'
import { build, type Policies } from './kit.ts'
import { alice, ask, capabilities, sql } from './questions.ts'

/** A rule of a policy as somebody might write it by mistake, and what must come of it. */
const mistakes: readonly (readonly [rule: string, effect: string, code: string])[] = [
  ['deny contains "text"', 'deny', 'denied'],
  ['deny contains ""', 'deny', 'denied'],
  ['deny contains 7', 'deny', 'denied'],
  ['deny contains false', 'deny', 'denied'],
  ['deny contains null', 'deny', 'denied'],
  ['deny contains {}', 'deny', 'denied'],
  ['deny contains []', 'deny', 'denied'],
  ['deny contains set()', 'deny', 'denied'],
  ['deny contains {"code": 7, "message": null}', 'deny', 'denied'],
  ['deny contains {"code": "", "remedy": ["x"]}', 'deny', 'denied'],
  ['deny := true', 'deny', 'denied'],
  ['deny := false', 'deny', 'denied'],
  ['deny := ["x"]', 'deny', 'denied'],
  ['deny := {"code": "x"}', 'deny', 'denied'],
  ['deny := []', 'allow', 'ok'],
  ['deny["old style"]', 'deny', 'denied'],
  ['deny.code := "x"', 'deny', 'denied'],
  ['allow contains true', 'deny', 'no_matching_allow'],
  ['allow contains "yes"', 'deny', 'no_matching_allow'],
  ['allow contains null', 'deny', 'no_matching_allow'],
  ['allow contains ["code"]', 'deny', 'no_matching_allow'],
  ['allow := true', 'deny', 'no_matching_allow'],
  ['allow := {"code": "yes"}', 'deny', 'no_matching_allow'],
  ['allow["yes"]', 'deny', 'no_matching_allow'],
  ['allow contains {}', 'allow', 'allowed'],
  ['hold contains "dba"', 'deny', 'unsupported_obligation'],
  ['hold contains {}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": []}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": "dba"}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": [""]}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": [7, null]}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": ["dba"], "min_approvals": 0}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": ["dba"], "min_approvals": 1.5}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": ["dba"], "ttl_s": "1h"}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": ["dba"], "wait_s": -1}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": ["dba"], "bind": "loosely"}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": ["dba"], "bind": null}', 'deny', 'unsupported_obligation'],
  ['hold := true', 'deny', 'unsupported_obligation'],
  ['hold := {"approvers": ["dba"]}', 'deny', 'unsupported_obligation'],
  ['hold contains {"approvers": {"dba"}}', 'hold', 'held'],
  ['hold contains {"approvers": ["dba", 7]}', 'hold', 'held'],
  ['mask contains "public.t.c"', 'deny', 'unsupported_obligation'],
  ['mask contains {}', 'deny', 'unsupported_obligation'],
  ['mask contains {"column": "public.t.c"}', 'deny', 'unsupported_obligation'],
  ['mask contains {"method": "null"}', 'deny', 'unsupported_obligation'],
  ['mask contains {"column": "public.t.c", "method": "blur"}', 'deny', 'unsupported_obligation'],
  ['mask contains {"column": "", "method": "null"}', 'deny', 'unsupported_obligation'],
  ['mask contains {"column": ["c"], "method": "null"}', 'deny', 'unsupported_obligation'],
  [
    'mask contains {"column": "c", "path": "$", "method": "null"}',
    'deny',
    'unsupported_obligation',
  ],
  ['mask contains {"column": "c", "method": "null", "args": 1}', 'deny', 'unsupported_obligation'],
  ['mask := {"column": "c", "method": "null"}', 'deny', 'unsupported_obligation'],
  ['mask contains {"entity": "email", "method": "redact"}', 'allow', 'ok'],
  ['mask contains {"path": "$.a", "method": "redact"}', 'allow', 'ok'],
  ['limit contains 10', 'deny', 'unsupported_obligation'],
  ['limit contains {"metric": "rows"}', 'deny', 'unsupported_obligation'],
  ['limit contains {"metric": "cells", "max": 1}', 'deny', 'unsupported_obligation'],
  ['limit contains {"metric": "rows", "max": "10"}', 'deny', 'unsupported_obligation'],
  ['limit contains {"metric": "rows", "max": -1}', 'deny', 'unsupported_obligation'],
  ['limit contains {"metric": "rows", "max": 0.5}', 'deny', 'unsupported_obligation'],
  ['limit contains {"metric": "rows", "max": 1e300}', 'deny', 'unsupported_obligation'],
  ['limit contains {"metric": "bytes", "max": 1}', 'deny', 'unsupported_obligation'],
  ['limit contains {"metric": "rows", "max": 1}', 'allow', 'ok'],
  ['quota contains {}', 'deny', 'unsupported_obligation'],
  ['quota contains {"name": "q", "per": "planet"}', 'deny', 'unsupported_obligation'],
  [
    'quota contains {"name": "q", "per": "subject", "metric": "rows", "max": 1, "window_s": 0}',
    'deny',
    'unsupported_obligation',
  ],
  ['obligation contains "notify"', 'deny', 'unsupported_obligation'],
  ['obligation contains {"name": ""}', 'deny', 'unsupported_obligation'],
  ['obligation contains {"name": "notify", "args": []}', 'deny', 'unsupported_obligation'],
  ['obligation contains {"name": "fly"}', 'deny', 'unsupported_obligation'],
  ['obligation contains {"name": "notify"}', 'allow', 'ok'],
]

const able = [...capabilities, 'obligation:notify']
let policies: Policies

beforeAll(async () => {
  const cases = mistakes.map(([rule], at) => [`case_${at}.rego`, policy(at, rule)] as const)
  policies = await build({
    ...Object.fromEntries(cases),
    // Permits everything but the cases whose own allow is on trial.
    'base.rego': [
      'package policies.base',
      'allow contains {"code": "ok"} if not startswith(input.action.name, "allow")',
    ].join('\n'),
  })
})

function policy(at: number, rule: string): string {
  return `package policies.case_${at}\n${rule} if input.action.name == "${nameOf(at, rule)}"\n`
}

function nameOf(at: number, rule: string): string {
  return `${/^\w+/.exec(rule)?.[0]}_${at}`
}

test.each(mistakes.map((mistake, at) => [...mistake, at] as const))(
  '%s: %s (%s)',
  (rule, effect, code, at) => {
    const command = sql(nameOf(at, rule), ['read'], [])
    const decision = policies.decide(ask(alice, command, { capabilities: able }))
    expect(decision).toMatchObject({ effect, reasons: [{ code }] })
  },
)
