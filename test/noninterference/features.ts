/** What a generated text is made of, by its shape: whatever the generator can do has a name here. */
const features = {
  where: / where /,
  join: / join /,
  'natural join': / natural /,
  using: / using \(\w+\)/,
  lateral: /\blateral\b/,
  'function in FROM': /(generate_series|unnest|_to_table|_each_text|find_customers)\(/,
  'set operation': /\b(union|intersect|except)\b/,
  with: /^with |[( ]with \w+\(/,
  recursive: /with recursive/,
  'order by': / order by /,
  limit: / (limit|offset|fetch first) /,
  distinct: /\bdistinct\b(?! from)/,
  'group by': / group by /,
  'grouping sets': /\b(rollup|cube|grouping sets) \(/,
  having: / having /,
  aggregate:
    /\b(count|sum|avg|max|min|string_agg|array_agg|jsonb_agg|jsonb_object_agg|bool_or|every|mode)\(/,
  filter: / filter \(/,
  window: / over \(/,
  case: /\bcase\b/,
  subquery: /\(select /,
  'whole row': /\bt\d+(::text|\.\*)|(row_to_json|to_jsonb|concat)\(t\d+\)/,
  cast: /::|\bcast\(/,
  view: /\b(v_\w+|mv_\w+|crm\.customers|crm\.lead_view)\b/,
  function:
    /\b(get_\w+|std_body|leak|pure_add|find_customers|export_all|first_row|customer_label|run_sql)\(| === /,
  json: /json/,
  xml: /xml/,
  returning: / returning /,
  insert: /\binsert into /,
  'on conflict': / on conflict /,
  update: /\bupdate /,
  delete: /\bdelete from /,
  merge: /\bmerge into /,
  cursor: /^(declare|fetch|move|close) /,
  prepare: /^(prepare|execute|deallocate) /,
  parameters: /\$1/,
  savepoint: /^(savepoint|rollback to|release) /,
  'search path': /search_path|^set schema /,
  'row filter': /\b(v_)?cases\b/,
  trigger: /\b(inbox|payments)\b/,
  'window frame': /\b(rows|groups|range) between/,
  'search and cycle': /\b(search (depth|breadth)|cycle t) /,
  copy: /^copy /,
  explain: /^explain /,
} as const

/** Names of all that is in a text. */
export function featuresOf(text: string): readonly string[] {
  return Object.entries(features).flatMap(([name, shape]) => (shape.test(text) ? [name] : []))
}
