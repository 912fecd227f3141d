import type { Builtins } from './operands.ts'
export const time: Builtins = {
  'time.now_ns': { nondeterministic: true, call: (_, moment) => moment.nowNs },
}
