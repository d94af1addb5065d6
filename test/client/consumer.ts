import { execFile } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { version } from './version.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGE = `cometchat-gateway-client-${version}.tgz`;
/** What the package is made from. */
const SOURCES = ['package.json', 'tsconfig.json', 'LICENSE', 'client', 'scripts'];
/** A program of the tests ends by itself, long before. */
const TIMEOUT_MS = 120_000;

const exec = (file: string, args: readonly string[], cwd: string, env: Record<string, string> = {}) =>
  new Promise<{ code: unknown; output: string }>((resolve) => {
    const path = `${dirname(process.execPath)}:${process.env.PATH}`;
    const options = { cwd, timeout: TIMEOUT_MS, env: { PATH: path, HOME: cwd, ...env } };
    // tap puts itself into every Node.js that a test starts; here, it would come in between tsc and its modules.
    execFile('env', ['-u', 'NODE_OPTIONS', file, ...args], options, (error, stdout, stderr) =>
      resolve({ code: error ? (error.code ?? error.signal) : 0, output: stdout + stderr }),
    );
  });

/** Builds the package in a copy of this folder, and installs it into an empty one. */
export async function installClient(t: Test) {
  // Outside of this folder, where nothing finds its packages.
  const folder = mkdtempSync(join(tmpdir(), 'client-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [repository, consumer] = [join(folder, 'the repository'), join(folder, 'consumer')];
  for (const name of SOURCES) cpSync(join(root, name), join(repository, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(repository, 'node_modules'));
  mkdirSync(join(repository, 'dist'));
  writeFileSync(join(repository, 'dist/cometchat-gateway-client-1.0.0.tgz'), 'an older one');
  const built = await exec('npm', ['run', '--silent', 'client'], repository);
  t.strictSame(built, { code: 0, output: `${PACKAGE}\n` }, 'the package is built');
  t.strictSame(globSync('*.tgz', { cwd: join(repository, 'dist') }), [PACKAGE], 'it is the only one');

  cpSync(join(repository, 'dist', PACKAGE), join(consumer, PACKAGE));
  writeFileSync(join(consumer, 'package.json'), '{"type":"module","private":true}');
  const install = ['install', '--offline', '--no-audit', '--no-fund', `./${PACKAGE}`];
  t.equal((await exec('npm', install, consumer)).code, 0, 'it can be installed');

  return {
    modules: join(consumer, 'node_modules/cometchat-gateway-client'),
    /** Compiles a file, with all of TypeScript's checks. */
    async compile(file: string, source: string, ...options: string[]) {
      writeFileSync(join(consumer, file), source);
      const strict = [
        '--strict',
        '--exactOptionalPropertyTypes',
        '--noUncheckedIndexedAccess',
        '--pretty',
        'false',
      ];
      const platform = ['--target', 'es2022', '--lib', 'es2022,dom,dom.asynciterable', '--types', ''];
      const args = [...strict, ...platform, '--module', 'nodenext', ...options, file];
      return exec(join(root, 'node_modules/.bin/tsc'), args, consumer);
    },
    run: (node: string, file: string, env: Record<string, string>) => exec(node, [file], consumer, env),
  };
}
