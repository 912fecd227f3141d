import type { Duplex } from 'node:stream'
import type { Client, Phrase, Said } from './fixture.ts'

/** How to read what a server says, for protocols whose clients simply send bytes. */
export type Reading = {
  /** How many answers have come in full. */
  answers(seen: Buffer): number
  refusals(seen: Buffer): readonly string[]
}

/** A client that sends the bytes of phrases as they are; `hello` is its login. */
export async function rawClient(
  transport: Duplex,
  reading: Reading,
  hello?: Phrase,
): Promise<Client> {
  const got: Buffer[] = []
  let closed = false
  let from = 0
  let wake = (): void => undefined
  const seen = (): Buffer => Buffer.concat(got)
  const left = (): void => {
    closed = true
    wake()
  }
  transport.on('data', (chunk: Buffer) => {
    got.push(chunk)
    wake()
  })
  transport.on('error', left)
  transport.on('end', left)
  transport.on('close', left)

  async function answered(answers: number): Promise<Said> {
    while (!closed && reading.answers(seen().subarray(from)) < answers)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    const bytes = seen().subarray(from)
    from += bytes.length
    return { bytes, refusals: reading.refusals(bytes) }
  }

  function send({ bytes }: Phrase): void {
    if (!closed) transport.write(bytes)
  }

  function say(phrase: Phrase): Promise<Said> {
    send(phrase)
    return answered(phrase.answers ?? 1)
  }

  const welcome = hello === undefined ? { bytes: Buffer.alloc(0), refusals: [] } : await say(hello)
  return {
    welcome,
    seen,
    closed: () => closed,
    say,
    send,
    hangUp: () => void transport.destroy(),
  }
}
