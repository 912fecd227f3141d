import { crypto } from './builtins/crypto.ts'
import { encoding } from './builtins/encoding.ts'
import { globs } from './builtins/globs.ts'
import { graph } from './builtins/graph.ts'
import { jwt } from './builtins/jwt.ts'
import { net } from './builtins/net.ts'
import { objects } from './builtins/objects.ts'
import type { Builtins } from './builtins/operands.ts'
import { patch } from './builtins/patch.ts'
import { regex } from './builtins/regex.ts'
import { semver } from './builtins/semver.ts'
import { printf } from './builtins/sprintf.ts'
import { strings } from './builtins/strings.ts'
import { time } from './builtins/time.ts'
import { units } from './builtins/units.ts'
import { uri } from './builtins/uri.ts'
import { uuid } from './builtins/uuid.ts'

/**
 * Every builtin the gate provides to policies beside those WASM has itself, by its name in Rego. What is not here is
 * refused when a bundle is built (capabilities.ts) and when it is loaded: networks, randomness, the host's own state.
 */
export const builtins: Builtins = {
  ...crypto,
  ...encoding,
  ...globs,
  ...graph,
  ...jwt,
  ...net,
  ...objects,
  ...printf,
  ...patch,
  ...regex,
  ...semver,
  ...strings,
  ...time,
  ...units,
  ...uri,
  ...uuid,
}
