import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Test } from 'tap';
import type { SandboxOptions } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/server.ts';
import { environment } from './environment.ts';
import { startSandbox } from './sandbox.ts';
import { assertNoLeak } from './secrets.ts';
import { sign } from './tokens.ts';
import { until } from './until.ts';

/** Longer than any program of the tests needs for a line, or to end, on a busy machine. */
const LONGEST_SECONDS = 60;

/** A program of this project that runs in a process of its own, and all that it has written so far. */
export class Child {
  stdout = '';
  stderr = '';
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  #hasEnded = false;

  /** @param env beside PATH, its whole environment */
  constructor(t: Test, args: readonly string[], env: Record<string, string> = {}) {
    this.process = spawn(process.execPath, args, {
      env: { PATH: process.env.PATH, ...(ofTheTests(args) && UNCOVERED), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout.on('data', (data) => {
      this.stdout += data;
    });
    this.process.stderr.on('data', (data) => {
      this.stderr += data;
    });
    this.process.once('close', () => {
      this.#hasEnded = true;
    });
    t.teardown(async () => {
      this.process.kill('SIGKILL');
      await this.exit();
      assertNoLeak(this.stdout, this.stderr);
    });
  }

  /** Waits for the text on stdout, and gives what matched. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    await until(`${pattern}`, () => pattern.test(this.stdout) || this.#hasEnded, LONGEST_SECONDS);
    const match = pattern.exec(this.stdout);
    if (!match) throw new Error(`it ended without ${pattern}: ${this.stderr}`);
    return match;
  }

  /** Waits for the end, and gives the exit code; null where a signal ended it. */
  async exit(): Promise<number | null> {
    await until(`the end of ${this.process.spawnargs.join(' ')}`, () => this.#hasEnded, LONGEST_SECONDS);
    return this.process.exitCode;
  }
}

/**
 * Starts the gateway in a process of its own, with a sandbox behind it, and waits until it is ready.
 *
 * @param overrides variables of its environment; `undefined` unsets one
 * @param options `node` are options of Node.js, `main` is the program, `sandbox` is one that is there already, or the options of its own
 */
export async function startProcess(
  t: Test,
  overrides: Record<string, string | undefined> = {},
  {
    node = [],
    main = 'src/main.ts',
    sandbox: given = {},
  }: { node?: string[]; main?: string; sandbox?: Sandbox | Partial<SandboxOptions> } = {},
) {
  const sandbox = given instanceof Sandbox ? given : await startSandbox(t, given);
  const env = Object.entries({ ...environment(sandbox.baseUrl), ...overrides });
  const set = env.filter((pair): pair is [string, string] => pair[1] !== undefined);
  const child = new Child(t, [...node, main], Object.fromEntries(set));
  const [, origin = ''] = await child.says(/listening at (http:\/\/[\d.:]+)/);
  const [, metrics = ''] = await child.says(/"metrics":"(http:[^"]+)","msg":"ready"/);
  return {
    child,
    sandbox,
    origin,
    metrics,
    port: Number(new URL(origin).port),
    /** Makes the call, with a good session unless it is given another token. */
    call: async (body: unknown = { tags: ['a'] }, token?: string) =>
      fetch(`${origin}/me/conversations/tags`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${token ?? (await sign())}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
  };
}

/** tap counts the coverage of every program that a test starts, unless this is set; it makes a program slower. */
const UNCOVERED = { _TAPJS_PROCESSINFO_COVERAGE_: '0' };

const ofTheTests = (args: readonly string[]) => args.some((arg) => /^(test|sandbox)\//.test(arg));
