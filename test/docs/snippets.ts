import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Test } from 'tap';

// The code of a page, as its reader would run it.

type Variables = Readonly<Record<string, string>>;

const PROGRAM = ['--input-type=module', '--eval'];
const withPath = (env: Variables) => ({ PATH: `${process.env.PATH}`, ...env });

/** Runs a module with an expression after it. @returns the value of the expression */
export async function resultOf(code: string, expression: string, env: Variables): Promise<unknown> {
  const program = `${code}\nconsole.log(JSON.stringify((await ${expression}) ?? null));\nprocess.exit();`;
  const { stdout } = await promisify(execFile)(process.execPath, [...PROGRAM, program], {
    env: withPath(env),
  });
  return JSON.parse(stdout);
}

/** Lets a program run for the length of a test. @returns the first line that it prints */
export async function firstLineOf(t: Test, code: string): Promise<string> {
  const child = spawn(process.execPath, [...PROGRAM, code], {
    env: withPath({}),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill());
  const [line] = await once(createInterface(child.stdout), 'line');
  return line;
}
