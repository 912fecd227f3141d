/** `make bench`: what a decision costs, and what the gate costs on the wire, in one run. */
import { bulk } from './bulk.ts'
import { decide } from './decide.ts'
import { path } from './path.ts'
import { rows } from './rows.ts'
import { startStage } from './stage.ts'
import { statements } from './statements.ts'
import { memory, throughput } from './wire.ts'

await decide()
await statements()
await path()
rows()
await bulk()
const stage = await startStage()
try {
  await throughput(stage)
  await memory(stage)
} finally {
  await stage.stop()
}
