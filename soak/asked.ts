import { PROBLEMS } from '../src/base/problems.ts';
import type { Change } from '../src/cometchat/change.ts';
import { tagsOf } from './calls.ts';

/** These promise that the change has not been made, and never will be. */
const NOTHING_CHANGED: ReadonlySet<string> = new Set([
  'too-many-tags',
  'rate-limited',
  'cometchat-busy',
  'cometchat-unavailable',
  'gateway-overloaded',
]);

/** All requests that ask for the same change, nearly always one; each gateway may merge its own. */
export class Asked {
  readonly change: Change;
  /** The tags that are its own. */
  readonly tags: readonly string[];
  /** When the first of the requests was sent. */
  readonly sentAt: number;
  /** When the first of those that got a 200 was answered. */
  acceptedAt: number | undefined;
  /** When CometChat took one of its tags for the first time. */
  seenAt: number | undefined;
  /** One violation of each kind is enough. */
  readonly found = new Set<string>();
  readonly #results: string[] = [];
  #open = 0;
  #doneAt = 0;

  constructor(change: Change, sentAt: number) {
    this.change = change;
    this.tags = tagsOf(change);
    this.sentAt = sentAt;
  }

  begin(): void {
    this.#open += 1;
  }

  /** @param doneAt when the request was answered; for one that was not, when it would have been at the latest */
  end(result: string, doneAt: number): void {
    this.#open -= 1;
    this.#doneAt = Math.max(this.#doneAt, doneAt);
    this.#results.push(result);
    if (result === '200') this.acceptedAt ??= doneAt;
  }

  /** When the last of the requests was answered, or would have been. */
  get doneAt(): number {
    return this.#open > 0 ? Number.POSITIVE_INFINITY : this.#doneAt;
  }

  /** Whether all requests got a 200. */
  get isAccepted(): boolean {
    return this.#all((result) => result === '200');
  }

  /** Whether all were answered in words that say that nothing was changed. */
  get isRefused(): boolean {
    return this.#all((result) => NOTHING_CHANGED.has(result));
  }

  /** Whether all have failed, and no attempt can follow. At its own deadline a request may leave a write that goes on for others. */
  get hasFailed(): boolean {
    return this.#all((result) => Object.hasOwn(PROBLEMS, result) && result !== 'cometchat-timeout');
  }

  removes(tag: string): boolean {
    const { change } = this;
    return change.kind === 'merge' ? change.remove.includes(tag) : !change.tags.includes(tag);
  }

  #all(fits: (result: string) => boolean): boolean {
    return this.#open === 0 && this.#results.every(fits);
  }
}
