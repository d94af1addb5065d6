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

  /** @returns for how long the oldest one has been here, in milliseconds */
  age(now: number): number {
    return this.count(now) > 0 ? now - (this.#all[0]?.at ?? now) : 0;
  }

  /** Whether an attempt about this subject would say anything new. */
  lacks({ user, path }: Subject, now: number): boolean {
    this.count(now);
    if (this.#all.some((other) => other.user === user)) return false;
    return this.#all.filter((other) => other.path === path).length < maxWith(path);
  }

  /** Adds an attempt, if it says anything new. */
  add(subject: Subject, now: number): void {
    if (this.lacks(subject, now)) this.#all.push({ ...subject, at: now });
  }

  clear(): void {
    this.#all = [];
  }
}
