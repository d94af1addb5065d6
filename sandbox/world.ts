import { readFileSync } from 'node:fs';
import {
  GROUPS,
  type Group,
  groupDocument,
  makeUser,
  STRANGERS,
  type User,
  userDocument,
} from './documents.ts';

/** The example of CometChat's "Update User Conversation" page. */
export const DOCUMENTED_REPLY: { data: Record<string, unknown>[] } = JSON.parse(
  readFileSync(new URL('documented-reply.json', import.meta.url), 'utf8'),
);

/** CometChat's refusal of a call: its status and the body's `error.code`. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Record<string, string[]> | undefined;
  constructor(status: number, code: string, message: string, details?: Record<string, string[]>) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** One set of tags put in the place of another. */
export interface Write {
  readonly onBehalfOf: string;
  readonly type: 'users' | 'groups';
  readonly id: string;
  readonly tags: readonly string[];
}

/** What CometChat knows and remembers, as far as the conversation calls go. */
export class World {
  /** Called at every write, in the order in which they are applied. */
  onWrite?: ((write: Write) => void) | undefined;
  /** Tags by who put them on which conversation; the other side has a set of its own. */
  readonly #tags = new Map<string, string[]>();
  readonly #users: ReadonlyMap<string, User>;

  /** @param users how many there are: `cometchat-uid-1` and so on */
  constructor(users = 5) {
    this.#users = new Map(
      Array.from({ length: users }, (_, index) => makeUser(index + 1)).map((user) => [user.uid, user]),
    );
  }

  /** @returns the body of the reply to `GET /users|groups/{id}/conversation` */
  read(onBehalfOf: string | undefined, type: 'users' | 'groups', id: string): unknown {
    const me = this.#findUser(onBehalfOf ?? '');
    return { data: this.#conversation(me, type, id) };
  }

  /** @returns the body of the reply to `PUT /users|groups/{id}/conversation`; the tags replace the set */
  update(onBehalfOf: string | undefined, type: 'users' | 'groups', id: string, body: unknown): unknown {
    const me = this.#findUser(onBehalfOf ?? '');
    const conversation = this.#conversation(me, type, id);
    const tags = checkTags(body);
    this.#tags.set(`${me.uid} ${type} ${id}`, tags);
    this.onWrite?.({ onBehalfOf: me.uid, type, id, tags });
    return type === 'users' && id === me.uid ? DOCUMENTED_REPLY : { data: { ...conversation, tags } };
  }

  /** @returns the tags that one user has put on one conversation */
  tags(onBehalfOf: string, type: 'users' | 'groups', id: string): string[] {
    return this.#tags.get(`${onBehalfOf} ${type} ${id}`) ?? [];
  }

  #conversation(me: User, type: 'users' | 'groups', id: string) {
    const tags = this.tags(me.uid, type, id);
    return type === 'users'
      ? userConversation(me, this.#findUser(id), tags)
      : groupConversation(me, findGroup(id), tags);
  }

  #findUser(uid: string): User {
    const found = this.#users.get(uid);
    if (!found) throw new Refusal(404, 'ERR_UID_NOT_FOUND', `The user with UID ${uid} does not exist.`);
    return found;
  }
}

function findGroup(guid: string): Group {
  const found = GROUPS.find((one) => one.guid === guid);
  if (!found) throw new Refusal(404, 'ERR_GUID_NOT_FOUND', `The group with GUID ${guid} does not exist.`);
  return found;
}

function userConversation(me: User, other: User, tags: string[]) {
  if (me !== other && STRANGERS.has(me.uid) && STRANGERS.has(other.uid)) {
    const text = `The conversation of ${me.uid} with ${other.uid} is not accessible.`;
    throw new Refusal(404, 'ERR_CONVERSATION_NOT_ACCESSIBLE', text);
  }
  return userDocument(me, other, tags);
}

function groupConversation(me: User, found: Group, tags: string[]) {
  if (!found.members.includes(me.uid)) {
    throw new Refusal(403, 'ERR_NOT_A_MEMBER', `${me.uid} is not a member of ${found.guid}.`);
  }
  return groupDocument(found, tags);
}

function checkTags(body: unknown): string[] {
  const tags = typeof body === 'object' && body !== null && 'tags' in body ? body.tags : undefined;
  const fits = (tag: unknown) => typeof tag === 'string' && tag.length > 0 && tag.length <= 100;
  if (!Array.isArray(tags) || tags.length > 25 || !tags.every(fits)) {
    const details = { tags: ['The tags must be an array of at most 25 strings of 1 to 100 characters.'] };
    throw new Refusal(400, 'ERR_BAD_REQUEST', 'Failed to validate the data sent with the request.', details);
  }
  return tags;
}
