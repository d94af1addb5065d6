import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Locked {
  version: string;
  license: string;
  dev?: boolean;
}
const locked = Object.entries<Locked>(JSON.parse(read('package-lock.json')).packages)
  .filter(([path, { dev }]) => path !== '' && !dev)
  .map(([path, { version, license }]) => [path.split('node_modules/').at(-1), version, license]);
const sorted = (lines: unknown[][]) => lines.map((line) => line.join(' ')).sort();

t.test('npm run sbom lists the production dependencies, each with its licence, and no other', async (t) => {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME };
  const sbom = async () => {
    await run('npm', ['run', 'sbom'], { cwd: ROOT, env });
    return read('dist/sbom.cdx.json');
  };
  const text = await sbom();
  const { bomFormat, specVersion, components } = JSON.parse(text) as Sbom;
  t.strictSame([bomFormat, specVersion], ['CycloneDX', '1.6']);
  const listed = components.map(({ group, name, version, licenses }) => [
    group ? `${group}/${name}` : name,
    version,
    licenses.map((one) => one.expression ?? one.license?.id).join(),
  ]);
  t.strictSame(sorted(listed), sorted(locked));
  t.equal(await sbom(), text, 'a second time it is the same');
});
interface Sbom {
  bomFormat: string;
  specVersion: string;
  components: {
    group?: string;
    name: string;
    version: string;
    licenses: { expression?: string; license?: { id: string } }[];
  }[];
}

const list = async (cwd: string) => run(process.execPath, [join(ROOT, 'scripts/licences.ts')], { cwd });

t.test('the list of licences has the text of each, and names the packages that ship none', async (t) => {
  const { stdout } = await list(ROOT);
  const sections = stdout.split(/^={80}\n(.+) (\S+)\n(.+)\n={80}\n/m).slice(1);
  const found = Array.from({ length: sections.length / 4 }, (_, n) => sections.slice(4 * n, 4 * n + 4));
  t.strictSame(sorted(found.map(([name, version, license]) => [name, version, license])), sorted(locked));
  const without = found.filter(([, , , text = '']) => !/^--- .* ---\n\n\S/m.test(text));
  t.strictSame(without, [
    ['abstract-logging', '2.0.1', 'MIT', '\nThe package ships no text of its licence.\n\n\n'],
  ]);
  for (const [name = '', , , text = ''] of found) {
    if (name !== 'abstract-logging') t.match(text, /copyright|public domain/i, name);
  }
  t.match(stdout, '--- lib/web/fetch/LICENSE ---', 'of what a package has from others, too');
});

t.test('a package without a licence ends the build of the image', async (t) => {
  const packages = { '': {}, 'node_modules/a': { version: '1.0.0' }, 'node_modules/b': { dev: true } };
  const cwd = t.testdir({ 'package-lock.json': JSON.stringify({ packages }) });
  const { code, stderr } = await list(cwd).catch((error) => error);
  t.equal(code, 1);
  t.equal(stderr, 'Without a licence in package-lock.json: node_modules/a\n');
});
