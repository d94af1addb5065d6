/** Whom a call is about: the user who acts, and the path of the group or the other user. A list is about no partner. */
export interface Subject {
  readonly user: string;
  readonly partner: string | undefined;
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
  #latest = { partner: '', at: Number.NEGATIVE_INFINITY };
  /** The latest answer about another partner than that. */
  #another = this.#latest;

  /** CometChat has answered a call about this partner. */
  answered(partner: string, now: number): void {
    if (partner !== this.#latest.partner) this.#another = this.#latest;
    this.#latest = { partner, at: now };
  }

  maxWith(partner: string, now: number): number {
    if (partner.startsWith('/groups/')) return MAX.group;
    const elsewhere = partner === this.#latest.partner ? this.#another : this.#latest;
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
  lacks({ user, partner }: Subject, now: number): boolean {
    this.count(now);
    return this.#all.every((other) => other.user !== user) && this.#oneTooMany(partner, now) === undefined;
  }

  /** Adds an attempt, in the place of the user's one before, and of the oldest of too many about one group or user. */
  add(subject: Subject, now: number): void {
    this.count(now);
    this.#all = this.#all.filter(({ user }) => user !== subject.user);
    const oldest = this.#oneTooMany(subject.partner, now);
    this.#all = this.#all.filter((other) => other !== oldest);
    this.#all.push({ ...subject, at: now });
  }

  clear(): void {
    this.#all = [];
  }

  /** @returns the oldest about this partner, where there may be no more about it */
  #oneTooMany(partner: string | undefined, now: number) {
    if (partner === undefined) return undefined;
    const same = this.#all.filter((other) => other.partner === partner);
    return same.length >= this.#partners.maxWith(partner, now) ? same[0] : undefined;
  }
}
