/** A time in seconds since the epoch, as JWTs have them, for people. */
export function when(seconds: number): string {
  const date = new Date(seconds * 1000)
  return Number.isNaN(date.getTime()) ? `${seconds} s` : date.toISOString()
}
