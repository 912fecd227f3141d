import type { Sidecar } from '../sidecar.ts'
import { wire } from '../wire.ts'
import { length } from './frames.ts'
import { capabilities, login } from './login.ts'
import { type Apart, type Read, reader } from './reader.ts'
import { fatal, notice } from './report.ts'

/** PostgreSQL's protocol 3.0 and 3.2, with `read` to tell what a text will do once it is `ready`, and `apart` to parse large ones. */
export function speaking(
  read: Read,
  ready: Promise<unknown> = Promise.resolve(),
  apart?: Apart,
): Sidecar {
  return wire({
    protocol: 'postgres',
    port: 5432,
    capabilities,
    length,
    login: login(reader(read, apart), ready),
    fatal,
    notice,
  })
}
