import { nothing } from '../../../sql/lineage/value.ts'
import { constant } from '../constants.ts'
import type { Handlers } from './handlers.ts'

const none = () => nothing

/** Nodes that hold nobody's data. */
export const plain: Handlers = {
  A_Const: (_, body) => constant(body),
  TypeName: none,
  GroupingFunc: none,
  SQLValueFunction: none,
  SetToDefault: none,
  MergeSupportFunc: none,
  CurrentOfExpr: none,
  Alias: none,
  String: none,
  Integer: none,
  Float: none,
  Boolean: none,
  BitString: none,
  A_Star: none,
}
