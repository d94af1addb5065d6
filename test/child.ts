import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { Test } from 'tap';
import { assertNoLeak } from './helper.ts';

/** A program of this project that runs in a process of its own, and all that it has written so far. */
export class Child {
  stdout = '';
  stderr = '';
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  readonly #closed: Promise<unknown[]>;

  /** @param env beside PATH and tap's own variables, its whole environment */
  constructor(t: Test, args: readonly string[], env: Record<string, string> = {}) {
    this.process = spawn(process.execPath, args, {
      env: { ...inherited(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout.on('data', (data) => {
      this.stdout += data;
    });
    this.process.stderr.on('data', (data) => {
      this.stderr += data;
    });
    this.#closed = once(this.process, 'close');
    t.teardown(async () => {
      this.process.kill('SIGKILL');
      await this.#closed;
      assertNoLeak(this.stdout, this.stderr);
    });
  }

  /** Waits for the text on stdout, and gives what matched. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.stdout);
      if (match) return match;
      const ended = await Promise.race([
        once(this.process.stdout, 'data').then(() => false),
        this.#closed.then(() => true),
      ]);
      if (ended && !pattern.test(this.stdout)) throw new Error(`it ended without ${pattern}: ${this.stderr}`);
    }
  }

  /** Waits for the end, and gives the exit code; null where a signal ended it. */
  async exit(): Promise<number | null> {
    const [code] = await this.#closed;
    return code as number | null;
  }
}

/** PATH, and what tap follows the children by, so that their coverage counts. */
const inherited = () =>
  Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      /^(PATH|NODE_V8_COVERAGE|NODE_OPTIONS)$|^_?TAP/i.test(name),
    ),
  ) as Record<string, string>;
