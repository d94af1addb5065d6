/** Whom a call is about: the user who acts, and the path, which names a group or another user. */
export interface Subject {
  readonly user: string;
  readonly path: string;
}

/** A group is one conversation for all its members. Another user is in one with each, and a support agent perhaps in all. */
const maxWith = (path: string): number => (path.startsWith('/groups/') ? 1 : 5);

/**
 * Attempts that say how CometChat is. Each user and each group is heard once, so that what is wrong with one of them alone
 * counts no more than that.
 */
export class Witnesses {
  readonly #keptMs: number;
  /** The oldest first. */
  #all: (Subject & { readonly at: number })[] = [];

  /** @param keptMs how long each of them counts, in milliseconds */
  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** @param now here and below, in milliseconds of any clock that does not go back */
  count(now: number): number {
    this.#all = this.#all.filter(({ at }) => now - at < this.#keptMs);
    return this.#all.length;
  }

  /** Whether an attempt about this subject would be one more. */
  lacks({ user, path }: Subject, now: number): boolean {
    this.count(now);
    return this.#all.every((other) => other.user !== user) && this.#of(path).length < maxWith(path);
  }

  /** Adds an attempt, in the place of the user's one before, and of the oldest of too many about one group or user. */
  add(subject: Subject, now: number): void {
    this.count(now);
    this.#all = this.#all.filter(({ user }) => user !== subject.user);
    const same = this.#of(subject.path);
    if (same.length >= maxWith(subject.path)) this.#all = this.#all.filter((other) => other !== same[0]);
    this.#all.push({ ...subject, at: now });
  }

  clear(): void {
    this.#all = [];
  }

  #of(path: string) {
    return this.#all.filter((other) => other.path === path);
  }
}
