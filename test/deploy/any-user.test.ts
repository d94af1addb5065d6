import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';

const [BUILDER, ANYBODY] = [1000, 12345];
const ROOT = join(import.meta.dirname, '../..');
const isRoot = process.getuid?.() === 0;

/** What the image has: the entry, a gateway and the compiled code, which the user of the image has made and others can read. */
function image(t: Test): string {
  // Not in the project, which other users may not be able to read.
  const folder = mkdtempSync(join(tmpdir(), 'image-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  chmodSync(folder, 0o755);
  cpSync(process.execPath, join(folder, 'node'));
  cpSync(join(ROOT, 'scripts/start-in-image.ts'), join(folder, 'scripts/start-in-image.ts'));
  cpSync(join(ROOT, 'test/fixtures/image'), folder, { recursive: true });
  const cache = join(folder, '.compile-cache');
  mkdirSync(cache);
  chownSync(cache, BUILDER, BUILDER);
  t.equal(start(folder, BUILDER).status, 78);
  const [compiled = ''] = readdirSync(cache);
  for (const file of readdirSync(join(cache, compiled))) chmodSync(join(cache, compiled, file), 0o644);
  return folder;
}

/** Runs the entry as a user without any right, and gives what Node.js says of its cache. */
function start(folder: string, user: number, env: string[] = [], options: string[] = []) {
  const asUser = ['--reuid', `${user}`, '--regid', '0', '--clear-groups', 'env', '-i'];
  const node = [join(folder, 'node'), ...options, 'scripts/start-in-image.ts'];
  const args = [...asUser, 'NODE_DEBUG_NATIVE=COMPILE_CACHE', ...env, ...node];
  const { status, stdout, stderr } = spawnSync('setpriv', args, { cwd: folder, encoding: 'utf8' });
  const [, link = ''] = /resolved path (\S+\/gateway-\S+) /.exec(stderr) ?? [];
  return { status, stdout, link, accepted: stderr.match(/for ESM \S+\/src\/\w+\.ts was accepted/g)?.length };
}

t.test('the compiled code of the image is used', { skip: !isRoot && 'needs root' }, async (t) => {
  const folder = image(t);
  await t.test('by the user who made it, without a link', async (t) => {
    t.strictSame(start(folder, BUILDER, ['READY=1']), {
      status: 0,
      stdout: 'ready, with a cache\n',
      link: '',
      accepted: 2,
    });
  });
  await t.test('by any other, through a link that is gone as soon as the gateway is ready', async (t) => {
    const { link, ...ended } = start(folder, ANYBODY, ['READY=1']);
    t.strictSame(ended, { status: 0, stdout: 'ready\n', accepted: 2 });
    t.match(link, /^\/dev\/shm\//);
    t.notOk(existsSync(link));
  });
  await t.test('and the link is gone when the gateway does not get ready', async (t) => {
    const { link, ...ended } = start(folder, ANYBODY);
    t.strictSame(ended, { status: 78, stdout: '', accepted: 2 });
    t.ok(link);
    t.notOk(existsSync(link));
  });
  await t.test('but where no link can be made, the gateway starts all the same', async (t) => {
    const { status, stdout, accepted } = start(
      folder,
      ANYBODY,
      ['READY=1'],
      ['--import=./nothing-to-write-to.ts'],
    );
    t.strictSame({ status, stdout, accepted }, { status: 0, stdout: 'ready\n', accepted: undefined });
  });
});
