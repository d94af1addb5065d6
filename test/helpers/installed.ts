import { spawnSync } from 'node:child_process';
import tap, { type Test } from 'tap';

type Body = (t: Test) => Promise<unknown>;

/** A test that needs this program of the machine; without it it is skipped, unless `CI` is set. */
export function testWith(
  program: string,
  name: string,
  body: Body,
  options: { buffered?: boolean } = {},
): void {
  const isMissing = !process.env.CI && spawnSync(program, ['--version']).error !== undefined;
  void tap.test(name, { ...options, skip: isMissing && `${program} is not installed` }, body);
}
