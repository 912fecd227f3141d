import type { Mask } from '../../pdp/contract.ts'
import { Malformed, Refusal } from '../../pdp/refusal.ts'
import { type Copier, copier } from './copy/copier.ts'
import { copyContradiction, copyOptions } from './copy/options.ts'
import { contradiction, copyPlanOf, type Planning, planOf } from './mask/plan.ts'
import { rewriter } from './mask/row.ts'
import type { Field } from './rows.ts'
import type { Statement } from './statement.ts'

/** What stands between one answer and the client: rows, and COPY's data, as they may be seen. */
export interface Screen {
  /** The columns the rows will have. */
  describe(columns: readonly Field[], around: Around): void
  /** DataRows. Throws Malformed when they were not described. */
  rows(frames: Buffer): Buffer
  /** COPY TO begins, in a format and with a number of columns. */
  copying(frame: Buffer, around: Around): void
  /** A CopyData of COPY TO. Throws Malformed when it is not in that format. */
  copied(frame: Buffer): Buffer
  /** The end of its data. Throws Malformed when a row is not whole. */
  copyDone(): void
  /** Each row of a COPY was counted by itself. */
  countsCopy(): boolean
}

/** What is known when rows are described. */
export type Around = Pick<Planning, 'catalogue' | 'trust'>

export type Screening = {
  readonly statement: Statement
  readonly mask: Mask
  /** Rows and bytes are limited. */
  readonly limited: boolean
  /** Lets rows pass, each a message, or only the first of them, or answers an empty Buffer. */
  readonly counted: (frames: Buffer) => Buffer
  /** Nothing of this answer may be seen; `alarm` says, in words without data, what cannot be right. */
  readonly refuse: (refusal: Refusal, alarm?: string) => void
}

/** Masks what one statement answers. */
export function screen({ statement, mask, limited, counted, refuse }: Screening): Screen {
  let rewrite: ((frame: Buffer) => Buffer) | undefined
  let described = false
  let copy: Copier | undefined

  return {
    describe,
    rows(frames) {
      if (!mask.empty && !described)
        throw new Malformed('the datastore sent a row that it had not described')
      return counted(rewrite === undefined ? frames : rewrite(frames))
    },
    copying,
    copied: (frame) => (copy === undefined ? counted(frame) : copy.data(frame)),
    copyDone: () => copy?.done(),
    countsCopy: () => copy !== undefined,
  }

  function describe(columns: readonly Field[], around: Around): void {
    described = true
    const planning = { ...around, statement, mask }
    const doubt = contradiction(columns, planning)
    const plan = mask.empty ? undefined : planOf(columns, planning)
    rewrite = plan && rewriter(plan)
    if (doubt !== undefined) refuse(notAsRead, doubt)
  }

  function copying(frame: Buffer, around: Around): void {
    if (mask.empty && !limited) return
    const options = copyOptions(statement.command)
    const binary = frame[5] === 1
    const plan = mask.empty ? undefined : copyPlanOf({ ...around, statement, mask }, binary)
    const doubt = mask.empty ? undefined : copyContradiction(frame, statement)
    if (doubt !== undefined) refuse(notAsRead, doubt)
    else if (plan === 'unknown' || (plan !== undefined && options === undefined)) refuse(unmaskable)
    else copy = options && copier(options, plan, counted)
  }
}

/** Why a COPY cannot be masked. */
export const unmaskable = new Refusal('mask_impossible', 'COPY TO cannot be masked here', {
  remedy: 'Use SELECT instead of COPY, or COPY without options.',
})

const notAsRead = new Refusal(
  'mask_impossible',
  'the answer is not what was read from the statement, so that it cannot be masked',
  { remedy: 'Try again; if it stays so, tell whoever runs the gate.' },
)

/** Why an answer is withheld although the statement was understood. */
export const redefined = new Refusal(
  'mask_impossible',
  'what the statement reads was defined anew while it ran, or it cannot be told whether it was',
  { remedy: 'Send the statement again.' },
)
