import { spawnSync } from 'node:child_process';
import tap, { type Test } from 'tap';

type Body = (t: Test) => Promise<unknown>;
/** `skip`: why it cannot run here, apart from the program. */
export interface Options {
  readonly buffered?: boolean;
  readonly skip?: string | false;
}

/** A test that needs this program of the machine; without it it is skipped, unless `CI` is set. */
export function testWith(
  program: string,
  name: string,
  body: Body,
  { skip = false, ...options }: Options = {},
): void {
  const isMissing = !process.env.CI && spawnSync(program, ['--version']).error !== undefined;
  void tap.test(name, { ...options, skip: isMissing ? `${program} is not installed` : skip }, body);
}
