import { execFileSync, spawnSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Test } from 'tap';

/** The last commit of version 1.1.0. */
const COMMIT = 'a5b8b579fa8cc0d233a51a4e9399e195589daea0';

/** Why the gateway of that release cannot run here; false where it can. */
export const previousIsMissing =
  spawnSync('git', ['cat-file', '-e', `${COMMIT}^{commit}`]).status !== 0 &&
  'the commit of the previous release is not in this clone';

/** The main file of the previous release, with the dependencies of today, for the length of a test. */
export function previousRelease(t: Test): string {
  const folder = t.testdir({});
  const archive = execFileSync('git', ['archive', COMMIT, 'src', 'package.json'], { maxBuffer: 2 ** 26 });
  execFileSync('tar', ['-x', '-C', folder], { input: archive });
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return join(folder, 'src/main.ts');
}
