import type { Builtins } from './builtins/operands.ts'
import { time } from './builtins/time.ts'

/** Every builtin the gate provides to policies, by its name in Rego; what is not here is refused at build and at load. */
export const builtins: Builtins = { ...time }
