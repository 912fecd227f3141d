/** Internet addresses and their networks as numbers. */
import { isIPv4, isIPv6 } from 'node:net'

/** A network; `bits` is 32 or 128, `base` its first address. */
export type Network = { readonly bits: 32 | 128; readonly base: bigint; readonly prefix: number }
export type Address = { readonly bits: 32 | 128; readonly value: bigint }

const mapped = 0xffffn

/** An address; an IPv4 address inside IPv6 is the IPv4 address, as in Go. Undefined where it is none. */
export function addressOf(text: string): Address | undefined {
  const address = plainAddressOf(text)
  return address?.bits === 128 && address.value >> 32n === mapped
    ? { bits: 32, value: BigInt.asUintN(32, address.value) }
    : address
}

/** A network in CIDR notation, host bits cleared. Throws where it is none. */
export function networkOf(text: string): Network {
  const [, host = '', length = ''] = /^(.*)\/(\d{1,3})$/s.exec(text) ?? []
  const address = plainAddressOf(host)
  const prefix = Number(length)
  if (address === undefined || prefix > address.bits) throw new Error('not a CIDR')
  const shift = BigInt(address.bits - prefix)
  const base = (address.value >> shift) << shift
  return address.bits === 128 && base >> 32n === mapped && prefix >= 96
    ? { bits: 32, base: BigInt.asUintN(32, base), prefix: prefix - 96 }
    : { bits: address.bits, base, prefix }
}

/** The last address of a network. */
export function lastOf({ bits, base, prefix }: Network): bigint {
  return base + (1n << BigInt(bits - prefix)) - 1n
}

/** Whether all of a network or address lies within another. */
export function contains(outer: Network, bits: number, first: bigint, last: bigint): boolean {
  return outer.bits === bits && first >= outer.base && last <= lastOf(outer)
}

/** An address as Go writes it. */
export function addressText({ bits, value }: Address): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.')
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  ).join(':')
  const runs = [...groups.matchAll(/(?:^|(?<=:))0(?::0)+(?=:|$)/g)]
  const longest = Math.max(0, ...runs.map(([run]) => run.length))
  const run = runs.find(([found]) => found.length === longest)
  if (run === undefined) return groups
  const [before, after] = [groups.slice(0, run.index), groups.slice(run.index + longest)]
  return `${before.replace(/:$/, '')}::${after.replace(/^:/, '')}`
}

function plainAddressOf(text: string): Address | undefined {
  if (isIPv4(text)) return { bits: 32, value: fromV4(text) }
  if (!isIPv6(text) || text.includes('%')) return undefined
  const tail = /(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)
  const hex = tail === null ? text : tail[1] + inGroups(fromV4(tail[2] ?? ''))
  const [head = '', rest] = hex.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = rest === undefined || rest === '' ? [] : rest.split(':')
  const zeros = rest === undefined ? 0 : 8 - left.length - right.length
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return {
    bits: 128,
    value: groups.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n),
  }
}

function fromV4(text: string): bigint {
  return text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)
}

function inGroups(value: bigint): string {
  return `${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`
}
