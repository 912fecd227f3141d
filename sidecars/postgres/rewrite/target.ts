import type { Relation } from '../../sql/catalogue.ts'
import type { Item } from './scope.ts'
import type { Shield } from './shield.ts'

/** What a statement writes to: it stays as it is, so nothing protected may be read of it. */
export type Target = {
  readonly relation: Relation
  readonly shield: Shield | undefined
  readonly item: Item
}
