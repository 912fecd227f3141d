import type { Command, Context, Counts, Input, Resource, Subject } from './contract.ts'

/** Builds the question policy is asked about each command of one session. */
export interface Questions {
  /** Throws when the command is not what a sidecar may build: that is our fault, never the client's. */
  about(phase: Input['phase'], command: Command): Input
}

type State = Context['state']

const stateEntriesMax = 100
const noState: State = {}

/** Subject, resource and context are the same objects in every question, so that engines can keep their text. */
export function questions(
  subject: Subject,
  resource: Resource,
  login: Omit<Context, 'state'>,
): Questions {
  const fixed = {
    groups: subject.groups.length,
    claims: Object.keys(subject.claims).length,
    labels: Object.keys(resource.labels).length,
    grants: login.grants.length,
  }
  let state = noState
  let context: Context = { ...login, state }

  return {
    about(phase, command) {
      const told = command['state'] ?? noState
      if (told !== state) {
        state = checked(told)
        context = { ...login, state }
      }
      const counts: Counts = { ...fixed, ...countsOf(command) }
      return { v: 1, phase, subject, resource, action: command, context, counts }
    },
  }
}

function countsOf(command: Command): Omit<Counts, 'groups' | 'claims' | 'labels' | 'grants'> {
  let columns = 0
  for (const touched of command.objects) columns += touched.columns?.length ?? 0
  return {
    effects: command.effects.length,
    objects: command.objects.length,
    columns,
    outputs: command.outputs?.length ?? 0,
    predicates: command.predicates?.length ?? 0,
    incomplete: command.incomplete === undefined ? 0 : 1,
  }
}

function checked(state: unknown): State {
  if (typeof state !== 'object' || state === null || Array.isArray(state))
    throw new TypeError('the state of a command is not an object')
  const values = Object.values(state)
  if (values.length > stateEntriesMax) throw new TypeError('the state of a command is too large')
  if (values.every((value) => typeof value === 'string')) return state as State
  throw new TypeError('the state of a command holds something other than text')
}
