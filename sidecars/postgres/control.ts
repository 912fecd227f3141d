import { Malformed } from '../../pdp/refusal.ts'
import type { Channel } from '../sidecar.ts'
import { unavailable } from './dial.ts'
import { length, query } from './frames.ts'
import { fields } from './report.ts'
import { cells } from './rows.ts'

export type Rows = readonly (readonly (string | null)[])[]

/** Rows of one control query; a database beyond this is refused rather than half known. */
const rowsMax = 5_000_000

/** Runs one statement of the gate's own by the simple protocol, with nothing else on the connection. Throws Refusal. */
export async function ask(server: Channel, sql: string): Promise<Rows> {
  const rows: (readonly (string | null)[])[] = []
  let failed: string | undefined
  server.write(query(sql))
  for (;;) {
    const frame = await server.read({ length })
    if (frame === undefined) throw unavailable('the datastore closed the connection')
    switch (frame[0]) {
      case 0x44:
        if (rows.length >= rowsMax) throw unavailable('the datastore answers without end')
        rows.push(cells(frame).map((cell) => (cell === null ? null : cell.toString('utf8'))))
        break
      case 0x45:
        failed = fields(frame)['C'] ?? ''
        break
      case 0x5a:
        if (failed === undefined) return rows
        throw unavailable(`the datastore refused a question of the gate (SQLSTATE ${failed})`)
      case 0x54:
      case 0x43:
      case 0x49:
      case 0x4e:
      case 0x53:
        break
      default:
        throw new Malformed('the datastore answers with something unknown')
    }
  }
}
