import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folder, opa, root } from './kit.ts'

const schemas = join(root, 'rego/contract')

test.each([
  ['an input that is spelled right', 'input.subject.id == "ada"', ''],
  ['a mistyped subject', 'input.subjet.id == "ada"', 'undefined ref: input.subjet.id'],
  ['a mistyped field of an actor', 'input.subject.actor.idd == "x"', 'input.subject.actor.idd'],
  ['a mistyped field of an object', 'input.action.objects[_].nmae == "x"', 'nmae'],
  ['a mistyped capability list', '"hold" in input.context.capabilitys', 'capabilitys'],
  ['a text compared with a number', 'input.phase == 1', 'match error'],
  ['a mistyped setting', '"a" in data.settings.groups.conect', 'data.settings.groups.conect'],
])('opa check finds %s', async (_, condition, complaint) => {
  const printed = await folder((path) => {
    writeFileSync(join(path, 'policy.rego'), policy(condition))
    return check(path)
  })
  if (complaint === '') expect(printed).toBe('')
  else expect(printed).toContain(complaint)
})

function policy(condition: string): string {
  return `# METADATA
# scope: package
# schemas:
#   - input: schema.input
#   - data.settings: schema.settings
package policies.example

allow contains {"code": "example"} if ${condition}
`
}

function check(path: string): string {
  try {
    return opa(['check', '--strict', '-s', schemas, path])
  } catch (error) {
    return (error as { readonly stderr: string }).stderr
  }
}

test('the data fits its schemas', () => {
  const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'))
  const data = read('rego/data.json') as Readonly<Record<string, unknown>>
  expect(Object.keys(data)).toEqual(['catalog', 'code', 'settings'])
  for (const name of Object.keys(data)) {
    const asked = { value: data[name], schema: read(`rego/contract/${name}.json`) }
    const query = 'json.match_schema(input.value, input.schema)'
    const printed = opa(['eval', '--stdin-input', '--format=raw', query], JSON.stringify(asked))
    expect(JSON.parse(printed), name).toEqual([true, []])
  }
})

test('every package is checked against the schema of the input', () => {
  for (const path of files(join(root, 'rego')).filter((path) => !path.endsWith('_test.rego')))
    expect(readFileSync(path, 'utf8'), path).toContain('#   - input: schema.input')
})

function files(path: string): readonly string[] {
  return readdirSync(path, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.rego'))
    .map((name) => join(path, name))
}
