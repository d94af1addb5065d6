import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Test } from 'tap';

// The code of a page, as its reader would run it.

type Variables = Readonly<Record<string, string>>;

const PROGRAM = ['--input-type=module', '--eval'];
const withPath = (env: Variables) => ({ PATH: `${process.env.PATH}`, ...env });

/** The variables that a block of lines like `NAME=value` sets. */
export const variablesIn = (lines: string): Record<string, string> =>
  Object.fromEntries([...lines.matchAll(/^(\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));

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

/** Runs lines of a shell. @returns what they print */
export async function shell(lines: string, env: Variables): Promise<string> {
  const { stdout } = await promisify(execFile)('bash', ['-c', lines], { env: withPath(env) });
  return stdout.trim();
}
