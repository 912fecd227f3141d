import { afterAll, beforeAll, describe } from 'vitest'
import { cuts } from './conformance/cuts.ts'
import { engines } from './conformance/engines.ts'
import type { Datastore, Fixture } from './conformance/fixture.ts'
import { forwarding } from './conformance/forwarding.ts'
import type { Ground } from './conformance/ground.ts'
import { identities } from './conformance/identities.ts'
import { interference } from './conformance/interference.ts'
import { leaving } from './conformance/leaving.ts'
import { masking } from './conformance/masking.ts'
import { records } from './conformance/records.ts'
import { secrets } from './conformance/secrets.ts'

/**
 * Every promise that all sidecars share, one test or more each, against a real datastore behind a real gate. A
 * protocol gives its words and a client (conformance/fixture.ts), and calls this from its conformance.test.ts.
 */
export function conformance(fixture: Fixture): void {
  let datastore: Datastore | undefined
  beforeAll(async () => {
    datastore = await fixture.start('A')
  })
  afterAll(() => datastore?.stop())

  const ground: Ground = {
    fixture,
    get datastore() {
      if (datastore === undefined) throw new Error('the datastore has not started')
      return datastore
    },
  }
  describe(`${fixture.sidecar.protocol} keeps`, () => {
    records(ground)
    engines(ground)
    forwarding(ground)
    masking(ground)
    leaving(ground)
    secrets(ground)
    cuts(ground)
    identities(ground)
    interference(ground)
  })
}
