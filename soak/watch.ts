import { readdirSync, readFileSync } from 'node:fs';
import type { Gateway } from './children.ts';

/** What one gateway holds of the machine, over the time. */
export class Watch {
  readonly name: string;
  readonly #pid: number;
  readonly #megabytes: number[] = [];
  /** At the start, before any request. */
  readonly filesAtStart: number;

  constructor({ name, pid }: Gateway) {
    this.name = name;
    this.#pid = pid;
    this.filesAtStart = this.openFiles();
  }

  /** Notes the memory that it has now. */
  note(): void {
    const status = readFileSync(`/proc/${this.#pid}/status`, 'utf8');
    this.#megabytes.push(Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) / 1024);
  }

  /** How often it was noted. */
  get samples(): number {
    return this.#megabytes.length;
  }

  /** In megabytes, as it was noted last. */
  get now(): number {
    return this.#megabytes.at(-1) ?? 0;
  }

  openFiles(): number {
    return readdirSync(`/proc/${this.#pid}/fd`).length;
  }

  /** The mean of a quarter of the run, 0 to 3, in megabytes. */
  quarter(number: number): number {
    const all = this.#megabytes;
    const some = all.slice((all.length * number) / 4, (all.length * (number + 1)) / 4);
    return some.reduce((sum, one) => sum + one, 0) / some.length;
  }
}
