import { statSync } from 'node:fs'
import { fileLines, folderLines, type Lines } from '../audit/lines.ts'
import { Failure, fileBytes } from '../commands/io.ts'
import { recordedOf } from '../impact/recorded.ts'

/** A question by a name for people. */
export type Question = { readonly name: string; readonly input: unknown; readonly atMs?: number }

/**
 * The questions of a file: JSON as one question, a list, or an object of questions by name; or JSON lines.
 * Throws Failure.
 */
export function questionsIn(path: string): readonly Question[] {
  const text = fileBytes(path).toString()
  const found = parsed(text) ?? lines(text)
  if (found === undefined) throw new Failure(`${path} is neither JSON nor JSON lines`)
  if (Array.isArray(found)) return found.map((input, at) => ({ name: `${path}, ${at + 1}`, input }))
  if (typeof found !== 'object' || found === null) throw new Failure(`${path} holds no questions`)
  if ('action' in found) return [{ name: path, input: found }]
  return Object.entries(found).map(([name, input]) => ({ name, input }))
}

/** The different questions of a record, the newest clock of each, at most `max`. Throws Failure. */
export async function recordedQuestions(place: string, max: number): Promise<readonly Question[]> {
  const found = new Map<string, Question>()
  for await (const { bytes } of linesAt(place).toEnd()) {
    const recorded = recordedOf(bytes.toString())
    if (typeof recorded === 'string') continue
    const { id, input, atMs } = recorded
    // What differs only in the text or the client's port is the same question to nearly every policy.
    const { text: _, ...action } = input.action
    const key = JSON.stringify([input.phase, input.subject, input.resource, action])
    if (found.size < max || found.has(key)) found.set(key, { name: id, input, atMs })
  }
  return [...found.values()]
}

/** The lines of a record: its folder, or one file of it. Throws Failure. */
export function linesAt(place: string): Lines {
  const found = statSync(place, { throwIfNoEntry: false })
  if (found === undefined) throw new Failure(`${place}: there is no such file or folder`)
  return found.isDirectory() ? folderLines(place) : fileLines([place])
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function lines(text: string): readonly unknown[] | undefined {
  const all = text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parsed)
  return all.length === 0 || all.includes(undefined) ? undefined : all
}
