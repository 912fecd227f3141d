/** A clock that moves only when told. */
export function clock(startMs = Date.UTC(2026, 0, 2, 3, 4, 5)) {
  let ms = startMs
  return {
    now: () => ms,
    pass: (by: number) => {
      ms += by
    },
  }
}
