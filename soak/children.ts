import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { on, once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';

const START_MS = 15_000;
const END_MS = 5000;
const MAX_ERROR_LINES = 5;

/** A gateway in a process of its own. */
export interface Gateway {
  readonly name: string;
  readonly pid: number;
  readonly origin: string;
}

/** The processes of a run: all are ended when it ends, in whatever way. */
export class Children {
  /** How many lines the gateways have logged. */
  readonly linesByLevel = new Map<string, number>();
  /** What they have warned of, and how often. */
  readonly warnings = new Map<string, number>();
  /** The first log lines of level error or fatal. */
  readonly errorLines: string[] = [];
  readonly #running = new Map<ChildProcess, string>();
  readonly #stop: AbortController;

  /** @param stop is aborted where one of them ends by itself */
  constructor(stop: AbortController) {
    this.#stop = stop;
    process.once('exit', () => this.#kill('SIGKILL'));
  }

  /** Starts CometChat's stand-in, and gives it with its base URL. */
  async sandbox(env: Record<string, string>): Promise<{ sandbox: ChildProcess; baseUrl: string }> {
    const sandbox = this.#adopt('the sandbox', fork(new URL('sandbox.ts', import.meta.url), { env }));
    const [baseUrl] = await once(sandbox, 'message', { signal: this.#startSignal() });
    return { sandbox, baseUrl };
  }

  /** Starts a Redis without a file, or returns false where none is installed. */
  async redis(port: number, password: string): Promise<boolean> {
    if (spawnSync('redis-server', ['--version']).error) return false;
    const options = ['--bind', '127.0.0.1', '--port', String(port), '--requirepass', password, '--save', ''];
    const child = this.#spawn('Redis', 'redis-server', options);
    await this.#says(createInterface(child.stdout), /Ready to accept connections/);
    return true;
  }

  /** Starts a gateway. */
  async gateway(name: string, env: Record<string, string>): Promise<Gateway> {
    const child = this.#spawn(name, process.execPath, ['src/main.ts'], env);
    const log = createInterface(child.stdout).on('line', (line) => {
      const level = /"level":"(\w+)"/.exec(line)?.[1] ?? 'none';
      this.linesByLevel.set(level, (this.linesByLevel.get(level) ?? 0) + 1);
      const [, message] = /"level":"warn".*"msg":"([^"]+)"/.exec(line) ?? [];
      if (message) this.warnings.set(message, (this.warnings.get(message) ?? 0) + 1);
      const isError = level === 'error' || level === 'fatal';
      if (isError && this.errorLines.length < MAX_ERROR_LINES) this.errorLines.push(`${name}: ${line}`);
    });
    const [, origin = ''] = await this.#says(log, /listening at (http:\/\/[\d.:]+).*"msg":"ready"/);
    return { name, pid: child.pid ?? 0, origin };
  }

  /** Ends them all, those that do not want to by force. */
  async end(): Promise<void> {
    const ended = [...this.#running.keys()].map((child) => once(child, 'exit'));
    this.#kill('SIGTERM');
    const force = setTimeout(() => this.#kill('SIGKILL'), END_MS);
    await Promise.all(ended);
    clearTimeout(force);
  }

  #spawn(name: string, command: string, args: readonly string[], env: Record<string, string> = {}) {
    const child = spawn(command, args, {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    return this.#adopt(name, child);
  }

  #adopt<T extends ChildProcess>(name: string, child: T): T {
    this.#running.set(child, name);
    child.once('exit', (code, signal) => {
      this.#running.delete(child);
      this.#stop.abort(`${name} has ended with ${code ?? signal}`);
    });
    return child;
  }

  /** Waits for the text, of one line or several, and gives what matched. */
  async #says(lines: Interface, pattern: RegExp): Promise<RegExpExecArray> {
    let said = '';
    for await (const [line] of on(lines, 'line', { signal: this.#startSignal() })) {
      said += line;
      const match = pattern.exec(said);
      if (match) return match;
    }
    throw new Error(`it never said ${pattern}`);
  }

  #startSignal(): AbortSignal {
    return AbortSignal.any([this.#stop.signal, AbortSignal.timeout(START_MS)]);
  }

  #kill(signal: NodeJS.Signals): void {
    for (const child of this.#running.keys()) child.kill(signal);
  }
}
