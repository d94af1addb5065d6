import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

const root = new URL('../../', import.meta.url);

/** The text of a page in docs/. */
export const pageOf = (name: string): string => readFileSync(new URL(`docs/${name}`, root), 'utf8');

/** What stands below a heading, up to the next one of its level or above. */
export function sectionOf(page: string, heading: string): string {
  const [marks = ''] = /^#+/.exec(heading) ?? [];
  const [, below] = page.split(`\n${heading}\n`);
  if (below === undefined) throw new Error(`there is no heading ${heading}`);
  // One mark alone may be a comment in a block of code.
  const next = below.search(new RegExp(`^#{2,${marks.length}} `, 'm'));
  return next === -1 ? below : below.slice(0, next);
}

/** The texts of the blocks of code, of this language; '' is of none. */
export const blocksIn = (text: string, language: string): string[] =>
  [...text.matchAll(/^ *```(\w*)\n([\s\S]*?)^ *```$/gm)]
    .filter(([, name]) => name === language)
    .map(([, , code = '']) => code);

/** The cells of the rows of all tables, without their heads. */
export const rowsIn = (text: string): string[][] =>
  text
    .split('\n')
    .filter((line, at, lines) => line.startsWith('|') && lines[at - 1]?.startsWith('|'))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
    .filter(([first]) => !/^:?-+:?$/.test(first ?? ''));

/** The cells of the rows of the table with this head. */
export function tableIn(text: string, ...head: readonly string[]): string[][] {
  const [, body] = text.split(`| ${head.join(' | ')} |\n`);
  if (body === undefined) throw new Error(`there is no table ${head.join()}`);
  const [rows = ''] = body.split(/^(?!\|)/m, 1);
  // The line below the head is its first.
  return rowsIn(`|\n${rows}`);
}

/** What is written as code in a text. */
export const codeIn = (text = ''): string[] => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** What lines such as `NAME=value` say. */
export const variablesIn = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^ *([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]));

/** Runs commands in bash, in the project's folder unless given another. @returns what they print; an exit code is no error */
export async function bash(
  commands: string,
  env: Record<string, string | undefined> = {},
  cwd: string | URL = root,
): Promise<string> {
  const { PATH, HOME } = process.env;
  const run = promisify(execFile)('bash', ['-c', commands], { cwd, env: { PATH, HOME, ...env } });
  return (await run.catch((error) => error as { stdout: string })).stdout;
}
