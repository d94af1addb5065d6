import { glob, readFile } from 'node:fs/promises';

/** The text of all of src/. */
export async function sourceText(): Promise<string> {
  const texts = [];
  for await (const path of glob('src/**/*.ts', { cwd: new URL('../../', import.meta.url) })) {
    texts.push(await readFile(new URL(`../../${path}`, import.meta.url), 'utf8'));
  }
  return texts.join('\n');
}
