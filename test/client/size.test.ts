import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import t from 'tap';

const client = new URL('../../client/', import.meta.url);

t.test('the client is one module of less than 5 KB, and README.md says how large it is', async (t) => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('src/index.ts', client))],
    bundle: true,
    minify: true,
    format: 'esm',
    write: false,
  });
  const [bundle] = outputFiles;
  const bytes = bundle?.contents.length ?? 0;
  t.notMatch(bundle?.text, /\bimport\b/, 'it needs nothing else');
  t.ok(bytes > 0 && bytes < 5000, `${bytes} bytes`);
  t.match(readFileSync(new URL('README.md', client), 'utf8'), `${(bytes / 1000).toFixed(1)} KB minified`);
});
