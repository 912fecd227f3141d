/** `make bench`: what a decision costs, and what the gate costs on the wire, in one run. */
import { decide } from './decide.ts'
import { startStage } from './stage.ts'
import { statements } from './statements.ts'
import { bulk, memory, throughput } from './wire.ts'

await decide()
await statements()
const stage = await startStage()
try {
  await throughput(stage)
  await bulk(stage)
  await memory(stage)
} finally {
  await stage.stop()
}
