/** One loaded policy: an instance of its module, kept healthy, that answers inputs. */
import type { PolicyBundle } from '../parts.ts'
import { blindness } from './blind.ts'
import type { Builtins, Moment } from './builtins/operands.ts'
import { codec, type Marshalling, marshallingOf } from './codec.ts'
import { type Instance, instantiate, pagesOf, revive, store, textAt } from './instance.ts'
import { print } from './text.ts'
import type { Value } from './value.ts'
import { type Module, webAssembly } from './webassembly.ts'

/**
 * Evaluations leave their garbage on the heap, where compiled patterns live too; it is thrown away, and the
 * patterns compiled again, once per this many bytes.
 */
const heapBytesMax = 16_777_216

/** What came of one evaluation: a value, or what went wrong (never a value of the input). */
export type Answer = {
  /** Plain JSON; undefined where the policy left it undefined or something went wrong. */
  readonly value: unknown
  readonly problem?: string
  /** The instance broke and is replaced. */
  readonly broken?: true
  /** A nondeterministic builtin was called: the answer holds for this moment only. */
  readonly impure: boolean
  /** The text of the command was not looked at: the answer is the same for every other text. */
  readonly blind?: true
  /** Where a builtin failed: what the policy says if that call is undefined, as OPA takes it unless it is strict. */
  readonly lenient?: unknown
}

export type PolicyStatus = {
  readonly marshalling: Marshalling
  /** Instances thrown away after a trap or an abort. */
  readonly replacements: number
  /** Linear memory, which never shrinks. */
  readonly memory_bytes: number
}

export interface Policy {
  /** Never throws. */
  evaluate(input: unknown, moment: Moment): Answer
  /** As `evaluate`, for any entrypoint of the module; without an input when it is undefined. */
  query(entrypoint: string, input: unknown, moment: Moment): Answer
  /** Paths of the rules that can be asked for, as `package/rule`. */
  readonly entrypoints: readonly string[]
  status(): PolicyStatus
}

type Question = { readonly rule: number; readonly input: unknown; readonly blinded: boolean }

/** Loads a bundle's module and data. Throws an Error that says what the bundle lacks. */
export async function policy(bundle: PolicyBundle, host: Builtins): Promise<Policy> {
  const module = await compiled(bundle.wasm)
  let moment: Moment = { nowNs: 0n }
  let impure = false
  let problem: string | undefined
  let replacements = 0
  let calls: readonly Call[] = []

  const first = instantiate(module, pagesOf(bundle.wasm), dispatch)
  const marshalling = marshallingOf(instantiate(module, pagesOf(bundle.wasm), dispatch))
  const rules = new Map(Object.entries(table(first, first.exports.entrypoints())))
  const entrypoint = entrypointOf(rules, bundle.entrypoint)
  calls = callsOf(first, host)
  const data = load(first, bundle.data)
  let values = codec(first, marshalling)
  const snapshot = new Uint8Array(first.memory.buffer.slice(0))
  let instance: Instance | undefined = first
  const blind = blindness()

  return { evaluate, query, entrypoints: [...rules.keys()], status }

  function status(): PolicyStatus {
    const { memory } = instance ?? first
    return { marshalling, replacements, memory_bytes: memory.buffer.byteLength }
  }

  function evaluate(input: unknown, at: Moment): Answer {
    if (!values.blinds || !blind.tries(input))
      return asked({ rule: entrypoint, input, blinded: false }, at)
    const answer = asked({ rule: entrypoint, input, blinded: true }, at)
    if (answer.problem === undefined) return { ...answer, blind: true }
    blind.looked(input)
    return asked({ rule: entrypoint, input, blinded: false }, at)
  }

  function query(path: string, input: unknown, at: Moment): Answer {
    return asked({ rule: entrypointOf(rules, path), input, blinded: false }, at)
  }

  function asked(question: Question, at: Moment): Answer {
    moment = at
    impure = false
    problem = undefined
    try {
      const value = answer(healthy(), question)
      return problem === undefined
        ? { value, impure }
        : { value: undefined, problem, impure, lenient: value }
    } catch (error) {
      // What crossed WASM left its stack behind: the instance is not used again.
      instance = undefined
      if (!question.blinded) replacements++
      return { value: undefined, problem: messageOf(error), broken: true, impure }
    }
  }

  function healthy(): Instance {
    if (instance !== undefined) return instance
    instance = revive(module, snapshot, dispatch)
    values = codec(instance, marshalling)
    return instance
  }

  function answer({ exports }: Instance, { rule, input, blinded }: Question): unknown {
    if (exports.opa_heap_ptr_get() - values.heapBase() > heapBytesMax)
      exports.opa_heap_ptr_set(values.heapBase())
    // OPA's WASM ABI: no input is the address 0.
    const question = input === undefined ? 0 : values.write(input, blinded)
    const evaluation = exports.opa_eval_ctx_new()
    exports.opa_eval_ctx_set_input(evaluation, question)
    exports.opa_eval_ctx_set_data(evaluation, data)
    exports.opa_eval_ctx_set_entrypoint(evaluation, rule)
    if (exports.eval(evaluation) !== 0) throw new Error('the policy did not finish')
    return resultOf(values.result(exports.opa_eval_ctx_get_result(evaluation)))
  }

  /** Runs under WASM frames: whatever goes wrong is noted and the call is undefined. */
  function dispatch(id: number, args: readonly number[]): number {
    const found = calls[id]
    try {
      if (found === undefined) throw new Error('not provided')
      if (found.builtin.nondeterministic === true) impure = true
      const result = found.builtin.call(args.map(values.read), moment)
      return result === undefined ? 0 : values.give(result)
    } catch {
      // Not the error's message: a parser's may quote what it was given.
      problem ??= `${found?.name ?? 'an unknown builtin'} failed`
      return 0
    }
  }
}

type Call = { readonly name: string; readonly builtin: Builtins[string] }

async function compiled(wasm: Buffer): Promise<Module> {
  try {
    return await webAssembly.compile(new Uint8Array(wasm))
  } catch (error) {
    throw new Error(`policy.wasm is no WebAssembly module: ${messageOf(error)}`)
  }
}

function entrypointOf(known: ReadonlyMap<string, number>, name: string): number {
  const id = known.get(name)
  if (id !== undefined) return id
  const others = [...known.keys()].join(', ')
  throw new Error(`the module has no entrypoint ${name}, only ${others}; build it with -e ${name}`)
}

/** The host's builtins by the module's ids. Throws naming every one the host does not provide. */
function callsOf(instance: Instance, host: Builtins): readonly Call[] {
  const calls: Call[] = []
  const missing: string[] = []
  for (const [name, id] of Object.entries(table(instance, instance.exports.builtins()))) {
    const builtin = Object.hasOwn(host, name) ? host[name] : undefined
    if (builtin === undefined) missing.push(name)
    else calls[id] = { name, builtin }
  }
  if (missing.length > 0)
    throw new Error(
      `the policy calls ${missing.join(', ')}, which this gate does not provide; ` +
        'build it with the capabilities file of postern',
    )
  return calls
}

function table(instance: Instance, address: number): Record<string, number> {
  const text = textAt(instance.memory, instance.exports.opa_json_dump(address))
  return JSON.parse(text) as Record<string, number>
}

function load(instance: Instance, data: unknown): number {
  const { address, length } = store(instance, print((data ?? {}) as Value))
  const loaded = instance.exports.opa_value_parse(address, length)
  if (loaded === 0) throw new Error('the module could not read the data of the bundle')
  return loaded
}

/** A result set is a list with at most one answer under `result`. */
function resultOf(results: unknown): unknown {
  const [first] = results as readonly { readonly result?: unknown }[]
  return first?.result
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'failed'
}
