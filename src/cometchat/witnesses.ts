/** Whom a call is about: the user who acts, and the path, which names a group or another user. */
export interface Subject {
  readonly user: string;
  readonly path: string;
}

/**
 * A group is one conversation for all its members. Another user is in one with each, and all of these may fail for what is
 * wrong with that user, who may also write. Where all write to one support agent, there is nobody else to hear of.
 */
const MAX = { group: 1, user: 2, onlyUser: 5 };
/** How long an answer shows that there are conversations with other users. */
const OTHERS_MS = 300_000;

/** Finds out how many witnesses there may be of one conversation partner. */
export class Partners {
  #latest = { path: '', at: Number.NEGATIVE_INFINITY };
  /** The latest answer about another path than that. */
  #another = this.#latest;

  /** CometChat has answered a call about this path. */
  answered(path: string, now: number): void {
    if (path !== this.#latest.path) this.#another = this.#latest;
    this.#latest = { path, at: now };
  }

  maxWith(path: string, now: number): number {
    if (path.startsWith('/groups/')) return MAX.group;
    const elsewhere = path === this.#latest.path ? this.#another : this.#latest;
    return now - elsewhere.at < OTHERS_MS ? MAX.user : MAX.onlyUser;
  }
}

/**
 * Attempts that say how CometChat is. Each user and each group is heard once, so that what is wrong with one of them alone
 * counts no more than that.
 */
export class Witnesses {
  readonly #keptMs: number;
  readonly #partners: Partners;
  /** The oldest first. */
  #all: (Subject & { readonly at: number })[] = [];

  /** @param keptMs how long each of them counts, in milliseconds */
  constructor(keptMs: number, partners: Partners) {
    this.#keptMs = keptMs;
    this.#partners = partners;
  }

  /** @param now here and below, in milliseconds of any clock that does not go back */
  count(now: number): number {
    this.#all = this.#all.filter(({ at }) => now - at < this.#keptMs);
    return this.#all.length;
  }

  /** Whether an attempt about this subject would be one more. */
  lacks({ user, path }: Subject, now: number): boolean {
    this.count(now);
    return (
      this.#all.every((other) => other.user !== user) &&
      this.#of(path).length < this.#partners.maxWith(path, now)
    );
  }

  /** Adds an attempt, in the place of the user's one before, and of the oldest of too many about one group or user. */
  add(subject: Subject, now: number): void {
    this.count(now);
    this.#all = this.#all.filter(({ user }) => user !== subject.user);
    const same = this.#of(subject.path);
    if (same.length >= this.#partners.maxWith(subject.path, now))
      this.#all = this.#all.filter((other) => other !== same[0]);
    this.#all.push({ ...subject, at: now });
  }

  clear(): void {
    this.#all = [];
  }

  #of(path: string) {
    return this.#all.filter((other) => other.path === path);
  }
}
