import { connect, type Socket } from 'node:net'

const slabBytes = 256 * 1024
/** Less than this left in a slab is not worth reading into. */
const readBytesMin = 32 * 1024

/**
 * Opens a TCP connection whose bytes go straight to `receive`: no stream in between, and one allocation for many
 * small reads. Every chunk is lent for good. Not for a connection that will speak TLS.
 */
export function dialTcp(
  address: { readonly host: string; readonly port: number },
  receive: (chunk: Buffer) => void,
): Socket {
  let slab = Buffer.allocUnsafeSlow(slabBytes)
  const next = (): Buffer => {
    if (slab.length < readBytesMin) slab = Buffer.allocUnsafeSlow(slabBytes)
    return slab
  }
  return connect({
    ...address,
    noDelay: true,
    onread: {
      buffer: next,
      callback(size) {
        const chunk = slab.subarray(0, size)
        slab = slab.subarray(size)
        receive(chunk)
        return true
      },
    },
  })
}
