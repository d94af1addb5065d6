import type { Writable } from 'node:stream';
import type { BaseLogger, DestinationStream } from 'pino';
import type { Metrics } from '../base/services.ts';

/** How much of the log may wait for its reader, in bytes. */
const MAX_WAITING = 1024 * 1024;

/**
 * The log's way to stdout, which never waits for its reader. Node.js's stream writes a line at once where the pipe has room, and
 * keeps it where it has none; beyond a bound lines are dropped.
 */
export class Stdout implements DestinationStream {
  readonly #stream: Writable;
  #count = () => {};
  #log: Pick<BaseLogger, 'warn'> | undefined;
  /** Lines that the log does not tell of yet. */
  #dropped = 0;

  constructor(stream: Writable = process.stdout) {
    this.#stream = stream;
    stream.on('drain', () => this.#tell());
    // Nobody reads any more, which is no reason to end.
    stream.on('error', () => this.#drop());
  }

  /** Tells of dropped lines in the log and the metrics. */
  follow(log: Pick<BaseLogger, 'warn'>, metrics: Metrics): void {
    const dropped = metrics.counter(
      'log_lines_dropped_total',
      'Lines of the log that were dropped because nobody read stdout in time',
    );
    dropped.inc(this.#dropped);
    this.#count = () => dropped.inc();
    this.#log = log;
  }

  write(line: string): void {
    if (this.#stream.writableLength > MAX_WAITING) this.#drop();
    else this.#stream.write(line);
  }

  /** Waits until all lines are written, for so many milliseconds at most. */
  async flush(ms: number): Promise<void> {
    this.#tell();
    const { promise, resolve } = Promise.withResolvers<void>();
    const givenUp = setTimeout(resolve, ms);
    this.#stream.write('', () => resolve());
    await promise;
    clearTimeout(givenUp);
  }

  #drop(): void {
    this.#dropped += 1;
    this.#count();
  }

  #tell(): void {
    const lines = this.#dropped;
    this.#dropped = 0;
    if (lines > 0) this.#log?.warn({ lines }, 'log lines dropped: stdout was not read in time');
  }
}
