// Run by log.test.ts in a process of its own: it is killed, or may not write large files.
import { execFileSync } from 'node:child_process'
import { openAudit } from '../../../pdp/audit/log.ts'
import { Refusal } from '../../../pdp/refusal.ts'
import { clock } from './clock.ts'

const [mode, folder = ''] = process.argv.slice(2)

if (mode === 'killed') killed()
else await full()

function killed(): void {
  const audit = openAudit({ folder })
  for (let n = 0; n < 100; n += 1) audit.append({ kind: 'admin', decision_id: `before ${n}` })
  process.kill(process.pid, 'SIGKILL')
}

async function full(): Promise<void> {
  const time = clock()
  const audit = openAudit({ folder, now: time.now })
  const refusals: string[] = []
  const recorded: string[] = []
  limitFiles('20000')
  for (let n = 0; n < 100; n += 1) {
    const id = `d${n}`
    try {
      audit.append({ kind: 'decision', decision_id: id, text: 'x'.repeat(500) })
      recorded.push(id)
    } catch (error) {
      refusals.push(error instanceof Refusal ? error.code : String(error))
    }
    time.pass(300)
  }
  for (let n = 0; n < 1100; n += 1) audit.later({ kind: 'outcome', decision_id: `o${n}` })
  const failed = audit.status()
  limitFiles('unlimited')
  time.pass(5000)
  audit.append({ kind: 'decision', decision_id: 'after' })
  recorded.push('after', 'o0')
  const recovered = audit.tail(5000).find((entry) => entry['failed_since'] !== undefined)
  const mended = audit.status()
  await audit.close()
  process.stdout.write(JSON.stringify({ refusals, recorded, failed, recovered, mended }))
}

function limitFiles(size: string): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${size}:`])
}
