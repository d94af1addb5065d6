import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = fileURLToPath(new URL('..', import.meta.url));
const { scripts, engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [needed = ''] = /\d+/.exec(engines.node) ?? [];

/** A Node.js of the system's own, too old for this project. */
const OLD = '/usr/bin/node';
const installed = spawnSync(OLD, ['--version'], { encoding: 'utf8' }).stdout ?? '';
const isOld = Number.parseInt(installed.slice(1), 10) < Number(needed);

/** The whole of stderr. */
const line = (path: string, version: string) =>
  `Node.js ${needed} or later is needed, and ${path} is ${version}: install a newer one, ` +
  'or a copy for this folder alone with "npm ci && npm rebuild node --ignore-scripts=false"\n';

for (const script of ['start', 'demo', 'check']) {
  const skip = !isOld && `${OLD} is not too old`;
  t.test(`npm run ${script} ends with one line on an old Node.js`, { skip }, async (t) => {
    // Beside the project, where npm finds no development copy of Node.js in a folder above.
    const folder = mkdtempSync(join(tmpdir(), 'old-node-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    for (const name of ['package.json', 'scripts', 'src']) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
    const { status, stdout, stderr } = spawnSync('npm', ['run', script], {
      cwd: folder,
      encoding: 'utf8',
      // Where install scripts are off, npm runs no "pre" scripts either.
      env: { PATH: dirname(OLD), npm_config_ignore_scripts: 'true', npm_config_update_notifier: 'false' },
    });
    t.equal(status, 78);
    t.equal(stderr, line(OLD, installed.trim().slice(1)));
    t.match(stdout, /^\n> .*\n> .*\n\n$/, 'what npm says before each script, and no more');
  });
}

const VERSIONS: readonly [version: string, status: number, isFit: boolean][] = [
  ['18.0.0', 78, false],
  [`${Number(needed) - 1}.99.9`, 78, false],
  [`${needed}.0.0`, 0, true],
  ['100.0.0', 0, true],
];
for (const [version, expected, isFit] of VERSIONS) {
  t.test(`Node.js ${version} is ${isFit ? 'taken' : 'refused'}`, async (t) => {
    const program = [
      `Object.defineProperty(process, 'versions', { value: { node: '${version}' } });`,
      `require(${JSON.stringify(join(root, 'scripts/node-version.cjs'))});`,
    ];
    const args = [join(t.testdir({ 'program.cjs': program.join('\n') }), 'program.cjs')];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    t.equal(status, expected);
    t.equal(stdout, '');
    t.equal(stderr, isFit ? '' : line(process.execPath, version));
  });
}

t.test('every script looks at the version before it does anything else', async (t) => {
  for (const [name, command] of Object.entries(scripts)) {
    t.match(command, /^node (--require=\.\/)?scripts\/node-version\.cjs /, name);
  }
});
