import type { Change, Merge } from '../src/cometchat/change.ts';
import type { Conversation } from './conversations.ts';

export const KINDS = ['PUT', 'PATCH', 'GET tags', 'GET list'] as const;
export type Kind = (typeof KINDS)[number];

/** Which part of the calls is of each kind. */
const MIX: Readonly<Record<Kind, number>> = { PUT: 0.45, PATCH: 0.25, 'GET tags': 0.2, 'GET list': 0.1 };

/** Parts of the calls: those that say the last one again, and those that follow it in the same conversation. */
const AGAIN = 0.03;
const FOLLOWING = 0.1;
/** Part of the others that is about a few conversations, in which changes meet all the time. */
const HOT = 0.15;
const HOT_CONVERSATIONS = 6;

/** Part of the PATCH calls that adds so many tags at once that there are often too many. */
const FLOODING = 0.04;
const FLOOD = { from: 20, to: 26 };
/** Part of the others that removes tags as well. */
const REMOVING = 0.6;
/** An app tidies up when it knows of more tags than these. */
const MOST_KNOWN = 12;
const MOST_REMOVED = 25;
const PER_PAGE = { from: 5, to: 20 };

/** What an app sends. */
export interface Call {
  readonly kind: Kind;
  readonly conversation: Conversation;
  readonly method: 'PUT' | 'PATCH' | 'GET';
  readonly path: string;
  /** Of PUT and PATCH. Its tags are its own: no other change adds them. */
  readonly change?: Change;
  readonly body?: string;
  /** Of a list. */
  readonly page?: { readonly page: number; readonly perPage: number };
}

/** Makes up what the apps send. */
export class Calls {
  readonly #conversations: readonly Conversation[];
  /** The tags that the apps may think a conversation has. */
  readonly #known = new Map<Conversation, readonly string[]>();
  #count = 0;
  #last: Call | undefined;

  constructor(conversations: readonly Conversation[]) {
    this.#conversations = conversations;
  }

  next(): Call {
    const chance = Math.random();
    if (this.#last && chance < AGAIN) return this.#last;
    const conversation =
      this.#last && chance < AGAIN + FOLLOWING ? this.#last.conversation : this.#anyConversation();
    this.#last = this.#make(anyKind(), conversation);
    return this.#last;
  }

  #anyConversation(): Conversation {
    const isHot = Math.random() < HOT;
    return pick(isHot ? this.#conversations.slice(0, HOT_CONVERSATIONS) : this.#conversations);
  }

  #make(kind: Kind, conversation: Conversation): Call {
    const { target } = conversation;
    const path = '/me/conversations';
    if (kind === 'GET tags') {
      const query = new URLSearchParams(target);
      return { kind, conversation, method: 'GET', path: `${path}/tags?${query}` };
    }
    if (kind === 'GET list') {
      const page = { page: pick([1, 1, 2]), perPage: Math.floor(between(PER_PAGE)) };
      const query = `page=${page.page}&perPage=${page.perPage}`;
      return { kind, conversation, method: 'GET', path: `${path}?${query}`, page };
    }
    const known = this.#known.get(conversation) ?? [];
    const change: Change =
      kind === 'PUT' ? { kind: 'replace', tags: [this.#tag()] } : this.#changeSome(known);
    const { kind: _, ...fields } = change;
    const body = JSON.stringify({ ...fields, ...target });
    const left = change.kind === 'merge' ? known.filter((tag) => !change.remove.includes(tag)) : [];
    this.#known.set(conversation, [...left, ...tagsOf(change)]);
    return { kind, conversation, method: kind, path: `${path}/tags`, change, body };
  }

  #changeSome(known: readonly string[]): Merge {
    if (Math.random() < FLOODING) {
      return { kind: 'merge', add: Array.from({ length: between(FLOOD) }, () => this.#tag()), remove: [] };
    }
    const old = known.slice(0, Math.max(0, known.length - MOST_KNOWN)).slice(0, MOST_REMOVED);
    const any = known.length > 0 && Math.random() < REMOVING ? [pick(known), pick(known)] : [];
    return { kind: 'merge', add: [this.#tag()], remove: old.length > 0 ? old : [...new Set(any)] };
  }

  #tag(): string {
    this.#count += 1;
    return `n${this.#count}`;
  }
}

/** The tags that are there by this change. */
export const tagsOf = (change: Change): readonly string[] =>
  change.kind === 'replace' ? change.tags : change.add;

function anyKind(): Kind {
  let left = Math.random();
  for (const kind of KINDS) {
    left -= MIX[kind];
    if (left < 0) return kind;
  }
  return 'PUT';
}

export const between = ({ from, to }: { from: number; to: number }) => from + Math.random() * (to - from);
export const pick = <T>(all: readonly T[]): T => all[Math.floor(Math.random() * all.length)] as T;
