/** What a client can see of an answer, without what is another number each time. */
import { visible } from '../wire/client.ts'

/** The lines of an answer, to be compared with those of another database. */
export function seen(frames: readonly Buffer[]): readonly string[] {
  return visible(frames.map(withoutProcess)).map(withoutTimes)
}

/** A notification begins with the number of a process. */
const withoutProcess = (frame: Buffer): Buffer =>
  frame[0] === 0x41 ? Buffer.from(frame).fill(0, 5, 9) : frame

/** What EXPLAIN ANALYZE measures is another number each time, of another length. */
const withoutTimes = (line: string): string =>
  /actual time|(Planning|Execution|Total) Time/i.test(line)
    ? line.replace(/^D .{6}|[\d.]+/gs, '')
    : line
