import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { Malformed } from '../pdp/refusal.ts'
import { cutter } from './cutter.ts'
import type { Channel, Length, Reading, Taker } from './sidecar.ts'

const frameBytesMaxDefault = 16 * 1024 * 1024
/** Read this far ahead of a busy reader, so that a peer who hangs up is noticed while a command waits. */
const aheadBytesMax = 256 * 1024
/** More than this waiting to be sent means: stop reading from the other side. */
const unsentBytesMax = 256 * 1024
/** How long a peer may take to accept the last bytes after `end`. */
const lingerMsMax = 5_000

/** A byte stream, or a way to open one that hands over its bytes by itself. */
export type Source = Duplex | ((receive: (chunk: Buffer) => void) => Duplex)

/** A Channel over any byte stream. Socket errors end the channel; they are never thrown. */
export function channel(
  source: Source,
  lengthOf: Length,
  frameBytesMax: number = frameBytesMaxDefault,
): Channel {
  const gone = new AbortController()
  const incoming = cutter(lengthOf, frameBytesMax)
  let socket = typeof source === 'function' ? source(receive) : heard(source, receive)
  let over = false
  let wake: (() => void) | undefined
  let taker: Taker | undefined
  let stopped = false
  let walking = false
  watched(socket, left)

  return {
    gone: gone.signal,
    read,
    peek,
    secure,
    write: (bytes) => sent(socket, bytes),
    drained: (go) =>
      void (socket.writableNeedDrain ? socket.once('drain', go) : queueMicrotask(go)),
    flow(to) {
      taker = to
      stopped = true
      go()
    },
    go,
    stop() {
      stopped = true
    },
    end: () => ended(socket, receive),
    close: () => void socket.destroy(),
  }

  function receive(chunk: Buffer): void {
    incoming.add(chunk)
    if (taker !== undefined && !stopped) walk()
    else if (incoming.bytes > aheadBytesMax) socket.pause()
    wake?.()
  }

  function left(): void {
    if (over) return
    over = true
    gone.abort()
    wake?.()
    if (taker !== undefined && !stopped) walk()
  }

  function go(): void {
    if (!stopped) return
    stopped = false
    if (socket.isPaused()) socket.resume()
    walk()
  }

  /** Hands whole messages to the taker until it stops or the bytes run out. */
  function walk(): void {
    if (walking || taker === undefined) return
    walking = true
    try {
      if (taken(taker)) taker.flush()
      if (over && !stopped) finish()
    } catch (problem) {
      finish(problem)
    }
    walking = false
  }

  function taken(to: Taker): boolean {
    let any = false
    while (!stopped) {
      const frame = incoming.next()
      if (frame === undefined) break
      any = true
      if (!to.take(frame)) stopped = true
    }
    return any
  }

  function finish(problem?: unknown): void {
    const last = taker
    taker = undefined
    last?.end(problem)
  }

  async function read(reading?: Reading): Promise<Buffer | undefined> {
    for (;;) {
      const frame = incoming.next(reading)
      if (frame !== undefined || over) return frame
      await more()
    }
  }

  async function peek(): Promise<number | undefined> {
    while (incoming.first() === undefined && !over) await more()
    return incoming.first()
  }

  function more(): Promise<void> {
    if (socket.isPaused()) socket.resume()
    return new Promise((resolve) => {
      wake = () => {
        wake = undefined
        resolve()
      }
    })
  }

  async function secure(wrap: (socket: Duplex) => TLSSocket, direct = false): Promise<TLSSocket> {
    detached(socket, receive, left)
    if (direct) socket.unshift(incoming.rest())
    else if (incoming.bytes > 0 || socket.readableLength > 0)
      throw new Malformed('bytes were sent before the TLS handshake')
    const secured = wrap(socket)
    secured.on('error', left)
    socket = secured
    await handshake(secured)
    watched(heard(secured, receive), left)
    return secured
  }
}

function heard(socket: Duplex, receive: (chunk: Buffer) => void): Duplex {
  return socket.on('data', receive)
}

function watched(socket: Duplex, left: () => void): void {
  socket.on('error', left)
  socket.on('end', left)
  socket.on('close', left)
}

/** Errors are still heard: an error nobody listens to would end the process. */
function detached(socket: Duplex, receive: (chunk: Buffer) => void, left: () => void): void {
  socket.pause()
  socket.off('data', receive)
  socket.off('end', left)
  socket.off('close', left)
}

function sent(socket: Duplex, bytes: Buffer): boolean {
  if (bytes.length === 0 || socket.destroyed || socket.writableEnded) return true
  return socket.write(bytes) || socket.writableLength <= unsentBytesMax
}

function ended(socket: Duplex, receive: (chunk: Buffer) => void): void {
  socket.end()
  const linger = setTimeout(() => socket.destroy(), lingerMsMax)
  linger.unref()
  socket.once('close', () => clearTimeout(linger))
  // What the peer still sends is thrown away, so that its close is seen.
  socket.off('data', receive)
  socket.resume()
}

function handshake(secured: TLSSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error?: NodeJS.ErrnoException | boolean): void => {
      const why = typeof error === 'object' && error.code !== undefined ? `: ${error.code}` : ''
      reject(new Malformed(`the TLS handshake failed${why}`))
    }
    secured.once('close', fail)
    secured.once('error', fail)
    secured.once('secure', () => {
      // A peer whose certificate is not trusted is destroyed by now; its error event follows.
      if (secured.destroyed) return
      secured.off('close', fail)
      secured.off('error', fail)
      resolve()
    })
  })
}
