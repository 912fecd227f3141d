/** What the commands need to know of a gate's configuration; config.ts provides it. Paths are absolute. */
export type Settings = {
  readonly state: string
  readonly server: Address & {
    readonly hosts: readonly string[]
    /** Whether programs on this machine may ask OPA's questions without a token. */
    readonly opaApi: 'authenticated' | 'open_on_loopback'
    readonly tls?: TlsFiles | undefined
  }
  readonly identity: {
    readonly issuer: string
    readonly audience: string
    readonly algorithms: readonly string[]
    readonly jwks: string | undefined
    readonly claims: {
      readonly groups: string
      readonly type?: string | undefined
      readonly run?: string | undefined
      readonly pass: readonly string[]
    }
    readonly clockSkewS: number
    readonly onTokenExpiry: 'end' | 'keep'
  }
  /** How this process calls itself, and to which bundle server. */
  readonly gate?:
    | {
        readonly name: string
        readonly labels: Readonly<Record<string, string>>
        readonly report?: (ReachSettings & { readonly url: string }) | undefined
      }
    | undefined
  readonly bundle: PolicySettings
  readonly bundleServer?: BundleServerSettings | undefined
  readonly decisionLogs?: DecisionLogSettings | undefined
  readonly audit: {
    readonly folder: string
    readonly durability: 'os' | 'disk'
    readonly key: string | undefined
    readonly segmentBytesMax: number
  }
  readonly holds: { readonly pendingMax: number; readonly pendingPerSubjectMax: number }
  readonly masking: { readonly key?: SecretPlace | undefined }
  readonly log: { readonly level: 'error' | 'warn' | 'info' | 'debug' }
  readonly limits: {
    readonly sessionsMax: number
    readonly sessionsPerSubjectMax: number
    readonly connectionsMax: number
    readonly frameBytesMax: number
  }
  readonly listeners: readonly ListenerSettings[]
  readonly admin: { readonly groups: readonly string[] }
}

export type Address = { readonly host: string; readonly port: number }

export type TlsFiles = { readonly cert: string; readonly key: string }

export type SecretPlace =
  | { readonly env: string }
  | { readonly file: string }
  | { readonly command: readonly string[] }

/** How we show a server who we are. */
export type Auth =
  | { readonly kind: 'bearer'; readonly token: SecretPlace }
  | { readonly kind: 'basic'; readonly username: string; readonly password: SecretPlace }
  | ({ readonly kind: 'tls' } & TlsFiles)
  | {
      readonly kind: 'aws'
      readonly region: string
      readonly service: string
      readonly accessKey: SecretPlace
      readonly secretKey: SecretPlace
      readonly sessionToken?: SecretPlace | undefined
    }

export type ReachSettings = {
  readonly auth?: Auth | undefined
  /** Whom we believe that it is the server: a file in PEM. */
  readonly ca?: string | undefined
}

/** Where decisions are sent besides the record. */
export type DecisionLogSettings = ReachSettings & {
  readonly url: string
  readonly erased: readonly string[]
  readonly masked: readonly string[]
  readonly delayMs: number
  readonly uploadBytesMax: number
  readonly alarmAfterMs: number
  readonly positionFile: string
}

/** What is published here, by whom and for whom. */
export type BundleServerSettings = {
  readonly folder: string
  readonly names: readonly string[]
  readonly keep: number
  readonly gatesMax: number
  readonly push: { readonly groups: readonly string[]; readonly subjects: readonly string[] }
  readonly pull: {
    readonly groups: readonly string[]
    readonly token?: SecretPlace | undefined
    readonly clientCa?: string | undefined
    readonly open: boolean
  }
}

/** Where bundles come from, and how often to ask. */
export type BundlePlace = ReachSettings & {
  readonly source:
    | { readonly kind: 'file'; readonly path: string }
    | { readonly kind: 'http'; readonly url: string }
    /** What this process publishes itself. */
    | { readonly kind: 'published'; readonly folder: string; readonly name: string }
  readonly pollMs: number
}

export type PolicySettings = BundlePlace & {
  readonly name: string
  readonly keys: readonly {
    readonly id: string
    readonly algorithm?: string
    readonly file: string
  }[]
  /** How many of the keys must have signed. */
  readonly signaturesMin: number
  readonly scope?: string | undefined
  readonly maxStaleMs: number | undefined
  readonly demo: boolean
  /** The candidate that runs beside the active bundle. */
  readonly shadow?: BundlePlace | undefined
}

export type Login = { readonly username: string; readonly secret: SecretPlace }

export type ListenerSettings = Address & {
  readonly id: string
  readonly protocol: string
  readonly tls?: TlsFiles | undefined
  readonly labels: Readonly<Record<string, string>>
  readonly upstream: Address & {
    readonly tls?: { readonly ca: string | undefined; readonly servername: string } | undefined
  }
  readonly credential: Login
  /** The login of sessions that policy seals. */
  readonly sealedCredential?: Login | undefined
}
