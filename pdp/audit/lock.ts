import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Refusal } from '../refusal.ts'

/**
 * Makes this process the only writer of a folder until the returned function is called. The kernel holds the lock
 * (SQLite's, on the file `lock`), so that it is gone the moment its holder dies. Throws Refusal.
 */
export function lockFolder(folder: string): () => void {
  const file = new DatabaseSync(join(folder, 'lock'), { timeout: 0 })
  try {
    file.exec('create table if not exists holder (pid integer)')
    file.exec(`delete from holder; insert into holder values (${process.pid})`)
    // An open write transaction is the lock: others may read who holds it, but not begin one.
    file.exec('begin immediate')
  } catch {
    const holder = holderOf(file)
    file.close()
    throw new Refusal('audit_unavailable', `${folder} is in use by process ${holder}`)
  }
  return () => file.close()
}

function holderOf(file: DatabaseSync): string {
  try {
    return String(file.prepare('select pid from holder').get()?.['pid'] ?? 'unknown')
  } catch {
    return 'unknown'
  }
}
