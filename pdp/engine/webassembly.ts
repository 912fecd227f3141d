/** The part of WebAssembly's JavaScript interface that is used here; Node has it, its types do not. */
export type Module = { readonly module: unique symbol }
export type Memory = { readonly buffer: ArrayBuffer }
export type Global = { readonly value: unknown }

type Api = {
  compile(bytes: Uint8Array): Promise<Module>
  readonly Instance: new (module: Module, imports: object) => { readonly exports: object }
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => Memory
}

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: Api }).WebAssembly
