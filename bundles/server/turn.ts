import type { PolicyBundle } from '../../pdp/parts.ts'
import { Refusal } from '../../pdp/refusal.ts'
import { type Selection, selectionOf, widens } from './selection.ts'
import type { Shelved } from './shelf.ts'

type Wanted = { readonly canary?: Selection | undefined; readonly abort?: boolean }

/**
 * What a push would change: nothing, the share of a canary, or which bundle there is. Throws Refusal
 * `bundle_conflict` when it does not follow on what is published.
 */
export function refuseConflict(now: Shelved, bundle: PolicyBundle, wanted: Wanted) {
  const { digest } = bundle
  if (digest === now.canary?.digest) return sameCanary(now.canary.selection, wanted)
  const plain = wanted.canary === undefined && wanted.abort !== true
  if (digest === now.stable && plain) return 'none'
  refuseOlder(now, bundle)
  refuseOtherCanary(now, wanted)
  return 'new'
}

function sameCanary(selection: string, { canary, abort = false }: Wanted): 'none' | 'wider' {
  if (canary === undefined || abort)
    throw conflict(
      `this bundle is the canary for ${selection}`,
      'postern promote gives it to every gate',
    )
  const before = selectionOf(selection)
  if (!widens(before, canary))
    throw conflict(
      `the canary is for ${selection}, and some of these gates would lose it`,
      'a share can only grow; postern promote or postern abort ends the canary',
    )
  return widens(canary, before) ? 'none' : 'wider'
}

/** Gates refuse what is older than they know, so it would only split the fleet. */
function refuseOlder({ sequence: known }: Shelved, { sequence }: PolicyBundle): void {
  if (known === undefined || (sequence !== undefined && sequence > known)) return
  throw conflict(
    `the bundle's sequence ${sequence} is not above ${known}, the highest published`,
    'sign it again with a higher one (postern bundle sign --sequence)',
  )
}

function refuseOtherCanary({ canary: running, stable }: Shelved, wanted: Wanted): void {
  const { canary, abort = false } = wanted
  if (abort && canary !== undefined)
    throw conflict('a canary cannot end a canary', 'abort with a bundle for every gate')
  if (abort && running === undefined)
    throw conflict('there is no canary to abort', 'push without abort')
  if (!abort && running !== undefined)
    throw conflict(
      `a canary is running for ${running.selection}`,
      'end it first: postern promote, or postern abort with the stable bundle signed anew',
    )
  if (canary !== undefined && stable === undefined)
    throw conflict('the gates outside the canary would have no bundle', 'push one for all first')
}

function conflict(message: string, remedy: string): Refusal {
  return new Refusal('bundle_conflict', message, { remedy })
}
