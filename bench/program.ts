import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Of the two processors one is for what is measured, the other for what calls it and what it calls. */
export const CORES = { measured: 0, others: 1 } as const;

/** /proc counts in these: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
const TICKS_PER_SECOND = Number(execFileSync('getconf', ['CLK_TCK']));
const PAGE_BYTES = Number(execFileSync('getconf', ['PAGESIZE']));

const LONGEST_START_MS = 60_000;

/** Keeps a process to one processor. */
export function pin(pid: number, core: number): void {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)]);
}

/** Nothing that was started here outlives the bench, however that ends. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const program of running) program.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** A program in a process of its own, on one processor. */
export class Program {
  readonly #process: ChildProcess;
  readonly #output: string;
  readonly #closed: Promise<unknown>;

  /**
   * @param command with its arguments
   * @param env its whole environment, beside PATH
   * @param output the file that takes what it writes, as a container's runtime would
   */
  constructor(command: readonly string[], env: Record<string, string>, output: string, core: number) {
    this.#output = output;
    const file = openSync(output, 'w');
    this.#process = spawn('taskset', ['--cpu-list', String(core), ...command], {
      env: { PATH: process.env.PATH, NODE_ENV: 'production', ...env },
      stdio: ['ignore', file, file],
    });
    closeSync(file);
    this.#closed = once(this.#process, 'close');
    running.add(this.#process);
    this.#process.once('close', () => running.delete(this.#process));
  }

  /** Waits until it has written something. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    const giveUp = performance.now() + LONGEST_START_MS;
    for (;;) {
      const text = readFileSync(this.#output, 'utf8');
      const found = pattern.exec(text);
      if (found) return found;
      if (this.#process.exitCode !== null || performance.now() > giveUp) {
        throw new Error(`it never said ${pattern}:\n${text}`);
      }
      await wait(1);
    }
  }

  /** The processor time that it has used so far, in microseconds. */
  cpuMicroseconds(): number {
    const [, fields = ''] = this.#read('stat').split(') ');
    const [user, system] = fields.split(' ').slice(11, 13).map(Number) as [number, number];
    return ((user + system) * 1e6) / TICKS_PER_SECOND;
  }

  /** The memory that it has in use now, in bytes (resident set size). */
  residentBytes(): number {
    return Number(this.#read('statm').split(' ')[1]) * PAGE_BYTES;
  }

  /** What it has written so far, in bytes. */
  writtenBytes(): number {
    return statSync(this.#output).size;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Ends it, by SIGTERM unless told otherwise, and waits for that. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.signal(signal);
    await this.#closed;
  }

  #read(file: 'stat' | 'statm'): string {
    return readFileSync(join('/proc', String(this.#process.pid), file), 'utf8');
  }
}
