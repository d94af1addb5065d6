import { readFileSync } from 'node:fs';

/** A page of docs/, and how tests look at it. */
export function page(name: string) {
  const text = readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');
  return {
    text,
    /** The page from one heading to the next of its level or a higher one. */
    section(heading: string): string {
      const [, marks = ''] = /^(#+) /.exec(heading) ?? [];
      const from = text.split(`\n${heading}\n`, 2)[1];
      if (from === undefined) throw new Error(`${name} has no heading ${heading}`);
      return from.split(new RegExp(`^#{1,${marks.length}} `, 'm'), 1).join();
    },
  };
}

/** The code of a text in fences of this language. */
export const fenced = (text: string, language: string): string[] =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map(([, code = '']) => code);

/** The cells of the first table in a text that has these headings. */
export function table(text: string, ...headings: readonly string[]): string[][] {
  const [, body] = text.split(`| ${headings.join(' | ')} |\n|${'---|'.repeat(headings.length)}\n`);
  if (body === undefined) throw new Error(`there is no table ${headings.join()}`);
  const [rows = ''] = body.split(/^(?!\|)/m, 1);
  return rows
    .trim()
    .split('\n')
    .map((row) =>
      row
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** What a text has in backticks. */
export const quoted = (text: string): string[] =>
  [...text.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
