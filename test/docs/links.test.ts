import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { check } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')).scripts;
/** The files that `npm run check` looks at. */
const patterns = [...check.matchAll(/'([^']+\.md)'/g)].map(([, pattern]) => pattern);

/** Runs the link check of `npm run check` in a folder. */
async function checkLinks(cwd: string, files: readonly string[]) {
  const config = `${root}linkinator.config.json`;
  const args = [`${root}node_modules/linkinator/build/src/cli.js`, '--config', config, ...files];
  try {
    await promisify(execFile)(process.execPath, args, { cwd });
    return { code: 0, broken: [] };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    const broken = [...stderr.matchAll(/^ {2}\[(?:404|#)\] (\S+)$/gm)].map(([, link]) => link).sort();
    return { code, broken };
  }
}

t.test('the link check fails for a link to a file or a heading that is not there', async (t) => {
  const folder = t.testdir({
    'README.md': [
      '# A page',
      '[a file](docs/one.md), [one that is missing](docs/none.md), [a folder](docs/)',
      '[a heading](docs/one.md#the-code-of-a-problem), [one that is missing](docs/one.md#none)',
      '[its own](#a-page), [one that is missing](#none)',
      '[a place with an id](docs/one.md#a-place), ![a picture that is missing](docs/none.svg)',
      '<a href="docs/none.html">in HTML</a>, [a host that nobody has](https://nobody.invalid/)',
      '```md\n[an example](docs/example.md)\n```',
    ].join('\n\n'),
    docs: {
      'one.md': '# One\n\n## The `code` of a problem\n\n<a id="a-place"></a>[None](../README.md#nothing)\n',
    },
  });
  t.strictSame(await checkLinks(folder, ['*.md', 'docs/*.md']), {
    code: 1,
    broken: [
      'README.md#none',
      'README.md#nothing',
      'docs/none.html',
      'docs/none.md',
      'docs/none.svg',
      'docs/one.md#none',
    ],
  });
});

t.test('it passes where all links lead somewhere', async (t) => {
  const folder = t.testdir({ 'README.md': '# A page\n\n[its heading](#a-page)\n' });
  t.strictSame(await checkLinks(folder, ['*.md']), { code: 0, broken: [] });
});

t.test('npm run check looks at each Markdown file of ours', async (t) => {
  const exclude = (name: string) => /(?:^|\/)(?:node_modules|\.git|\.tap)$/.test(name);
  const ours = globSync(['**/*.md', '.github/**/*.md'], { cwd: root, exclude });
  t.ok(ours.length > 10);
  const checked = new Set(globSync(patterns, { cwd: root }));
  t.strictSame(
    ours.filter((file) => !checked.has(file)),
    [],
  );
});
