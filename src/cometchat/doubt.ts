import type { Clock } from '../base/clock.ts';

/** An attempt of a lane whose outcome is unknown: for a while it may still land. */
export class Doubt {
  readonly #clock: Clock;
  readonly #lastsMs: number;
  /** Undefined where it was a read, which leaves no doubt. */
  #started: { readonly body: string; readonly at: number } | undefined;
  #body: string | undefined;
  #until = 0;

  /** @param lastsMs from the start of the attempt on */
  constructor(clock: Clock, lastsMs: number) {
    this.#clock = clock;
    this.#lastsMs = lastsMs;
  }

  get isOpen(): boolean {
    return this.#until > this.#clock.now();
  }

  /** Takes note that an attempt starts. */
  start(body: string | undefined): void {
    this.#started = body === undefined ? undefined : { body, at: this.#clock.now() };
  }

  /** The outcome of the attempt that was started last is unknown. */
  open(): void {
    if (!this.#started) return;
    this.#body = this.#started.body;
    this.#until = this.#started.at + this.#lastsMs;
  }

  /** Whether it does no harm if the attempt and this body land in either order. */
  isAbout(body: string | undefined): boolean {
    return this.#body === body;
  }

  /** Waits until it is over, or `woken` is aborted. */
  async untilOver(woken: AbortSignal): Promise<void> {
    await this.#clock.wait(Math.max(0, this.#until - this.#clock.now()), woken);
  }

  /** Of the write before. */
  takeOver(from: Doubt): void {
    this.#body = from.#body;
    this.#until = from.#until;
  }
}
