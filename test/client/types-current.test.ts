import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** Runs the script in a copy whose openapi.yaml is another one. */
function generate(t: Test, change: (document: string) => string, ...args: string[]) {
  const folder = t.testdir({});
  mkdirSync(join(folder, 'scripts'));
  for (const name of ['scripts/client-types.ts', 'client', 'package.json', 'biome.json', '.gitignore']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'openapi.yaml'), change(readFileSync(join(root, 'openapi.yaml'), 'utf8')));
  const { status, stderr } = spawnSync(process.execPath, [join(folder, 'scripts/client-types.ts'), ...args], {
    encoding: 'utf8',
  });
  return { status, stderr, types: readFileSync(join(folder, 'client/src/api.ts'), 'utf8') };
}

const newCode = (document: string) =>
  document.replace('- too-many-tags', '- too-many-tags\n            - newer');

t.test('npm run check looks at the types, and npm run openapi writes them', async (t) => {
  t.match(scripts.check, ' && node scripts/client-types.ts --check && ');
  t.match(scripts.openapi, /node scripts\/client-types\.ts$/);
});

t.test('the types are current, and it is said if they are not', async (t) => {
  t.match(generate(t, String, '--check'), { status: 0, stderr: '' });
  const { status, stderr } = generate(t, newCode, '--check');
  t.equal(status, 1);
  t.equal(stderr, 'client/src/api.ts is not what openapi.yaml says; run `npm run openapi`\n');
});

t.test('they follow the document', async (t) => {
  const { status, types } = generate(t, newCode);
  t.equal(status, 0);
  t.match(types, "    | 'newer'\n");
});

t.test('a schema that the script does not know is an error, and not any type', async (t) => {
  const { status, stderr } = generate(t, (document) => document.replace('type: boolean', 'type: number'));
  t.equal(status, 1);
  t.match(stderr, 'client-types.ts does not know this schema: {');
});
