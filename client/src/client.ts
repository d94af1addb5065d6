import type { Conversation, ConversationPage, Conversations } from './api.ts';
import { type CallOptions, type ClientOptions, sender } from './send.ts';

export type ConversationType = Conversation['conversationType'];

/** The conversation with a user, or of a group. */
export interface Target {
  /** The uid of the other user, or the guid of the group. */
  readonly conversationWith: string;
  /** `user` unless given. */
  readonly conversationType?: ConversationType | undefined;
}

export interface TagChange {
  readonly add?: readonly string[] | undefined;
  readonly remove?: readonly string[] | undefined;
}

/** Which conversations to list; all of the user's unless something is given. */
export interface ConversationFilter {
  /** CometChat decides whether one of several is enough. A tag with a comma is refused: the gateway takes it for two. */
  readonly tags?: readonly string[] | undefined;
  readonly conversationType?: ConversationType | undefined;
  readonly unread?: boolean | undefined;
  /** 1 unless given. */
  readonly page?: number | undefined;
  /** 50 unless given, 100 at most. */
  readonly perPage?: number | undefined;
}

export interface Client {
  readonly tags: {
    /** Replaces all tags. */
    set(target: Target, tags: readonly string[], options?: CallOptions): Promise<Conversation>;
    add(target: Target, tags: readonly string[], options?: CallOptions): Promise<Conversation>;
    remove(target: Target, tags: readonly string[], options?: CallOptions): Promise<Conversation>;
    /** Adds and removes tags in one request. */
    change(target: Target, change: TagChange, options?: CallOptions): Promise<Conversation>;
    get(target: Target, options?: CallOptions): Promise<Conversation>;
  };
  readonly conversations: {
    /** One page. */
    page(filter?: ConversationFilter, options?: CallOptions): Promise<ConversationPage>;
    /** This page and all after it. The options are those of each request. */
    list(
      filter?: ConversationFilter,
      options?: CallOptions,
    ): AsyncGenerator<ConversationPage, void, undefined>;
  };
}

/** Makes a client of the gateway. */
export function createClient(options: ClientOptions): Client {
  const send = sender(options);
  const path = '/me/conversations/tags';
  const write = (
    method: 'PUT' | 'PATCH',
    target: Target,
    tags: TagChange | { readonly tags: readonly string[] },
    call?: CallOptions,
  ) => {
    const to = named(target);
    const lane = `${to.conversationType ?? 'user'} ${to.conversationWith}`;
    return send({ method, path, lane, body: { ...to, ...tags }, read: readOne }, call);
  };
  const change: Client['tags']['change'] = async (target, { add, remove }, call) =>
    write('PATCH', target, { add, remove }, call);
  const page: Client['conversations']['page'] = async (filter = {}, call) => {
    const { tags = [], conversationType, unread, page, perPage } = filter;
    if (tags.some((tag) => tag.includes(','))) throw new TypeError('No filter by a tag with a comma');
    // The gateway refuses an empty list, and "false".
    const given = query({
      tags: tags.length > 0 ? tags.join() : undefined,
      conversationType,
      unread: unread || undefined,
      page,
      perPage,
    });
    return send({ method: 'GET', path: `/me/conversations${given}`, read: readPage }, call);
  };
  return {
    tags: {
      set: async (target, tags, call) => write('PUT', target, { tags }, call),
      add: (target, add, call) => change(target, { add }, call),
      remove: (target, remove, call) => change(target, { remove }, call),
      change,
      get: async (target, call) =>
        send({ method: 'GET', path: path + query({ ...named(target) }), read: readOne }, call),
    },
    conversations: {
      page,
      async *list(filter, call) {
        let next: ConversationPage;
        let number = filter?.page ?? 1;
        do {
          next = await page({ ...filter, page: number }, call);
          yield next;
          number += 1;
        } while (next.pagination.hasMore && next.conversations.length > 0);
      },
    },
  };
}

/** A request without conversationWith would be about another conversation. */
const named = ({ conversationWith, conversationType }: Target): Target => {
  if (!conversationWith) throw new TypeError('A target needs conversationWith');
  return { conversationWith, conversationType };
};

const query = (parameters: Readonly<Record<string, string | number | boolean | undefined>>): string => {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined);
  const pairs = given.map(([name, value = '']) => `${name}=${encodeURIComponent(value)}`).join('&');
  return pairs && `?${pairs}`;
};

const isObject = (value: unknown): boolean => Object(value) === value;

const listOf = (body: unknown): Conversation[] | undefined => {
  const list: unknown = (body as Partial<Conversations> | undefined)?.conversations;
  return Array.isArray(list) && list.every(isObject) ? list : undefined;
};

const readOne = (body: unknown): Conversation | undefined => listOf(body)?.[0];

const readPage = (body: unknown): ConversationPage | undefined => {
  const page = body as ConversationPage;
  return listOf(page) && isObject(page.pagination) ? page : undefined;
};

/** The target of a listed conversation. */
export const targetOf = ({ conversationWith: other, conversationType }: Conversation): Target => ({
  conversationWith: 'uid' in other ? other.uid : other.guid,
  conversationType,
});
