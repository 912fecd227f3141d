import type { Credential, Upstream } from '../../pdp/contract.ts'
import { login } from './upstream.ts'

/** Logs in once as the gate and leaves. Throws Refusal `upstream_unavailable` or `upstream_refused`. */
export async function probe(upstream: Upstream, credential: Credential): Promise<void> {
  const { channel } = await login(upstream, credential, { database: 'postgres' })
  channel.end()
}
