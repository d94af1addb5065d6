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
  lacks(subject: Subject, now: number): boolean {
    this.count(now);
    return this.#hasRoom(subject) && this.#all.every(({ user }) => user !== subject.user);
  }

  /** Adds an attempt, in the place of the user's one before. */
  add(subject: Subject, now: number): void {
    this.count(now);
    if (!this.#hasRoom(subject)) return;
    this.#all = this.#all.filter(({ user }) => user !== subject.user);
    this.#all.push({ ...subject, at: now });
  }

  clear(): void {
    this.#all = [];
  }

  /** Whether there are not yet enough of other users about the same group or user. */
  #hasRoom({ user, path }: Subject): boolean {
    const others = this.#all.filter((other) => other.path === path && other.user !== user);
    return others.length < maxWith(path);
  }
}
