/** Prints a token of one of the demo's people: `.demo/token alice`. */
import { type Person, people, token } from './issuer.ts'

const [issuer = '', who = ''] = process.argv.slice(2)
if (!(who in people)) {
  process.stderr.write(`usage: .demo/token ${Object.keys(people).join('|')}\n`)
  process.exit(2)
}
process.stdout.write(`${await token(issuer, who as Person)}\n`)
