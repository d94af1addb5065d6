import { readFileSync } from 'node:fs';
import {
  areStrangers,
  type Conversation,
  FRIENDS,
  GROUPS,
  type Group,
  groupDocument,
  makeUser,
  type User,
  userDocument,
} from './documents.ts';

/** The users that every new CometChat app begins with. */
const FIRST_USERS = 5;

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
  /** The last write of each user to each conversation; the other side has tags of its own. */
  readonly #writes = new Map<string, Write>();
  readonly #users: ReadonlyMap<string, User>;
  /** Those who are in everybody's list. */
  readonly #contacts: readonly string[];

  /** @param users how many there are beside the friends: `cometchat-uid-1` and so on */
  constructor(users = FIRST_USERS) {
    const numbered = Array.from({ length: users }, (_, index) => makeUser(index + 1));
    this.#users = new Map([...numbered, ...FRIENDS].map((user) => [user.uid, user]));
    this.#contacts = [...numbered.slice(0, FIRST_USERS), ...FRIENDS].map(({ uid }) => uid);
  }

  /** @returns the body of the reply to `GET /users|groups/{id}/conversation` */
  read(onBehalfOf: string | undefined, type: 'users' | 'groups', id: string): unknown {
    if (!onBehalfOf) {
      const details = { onBehalfOf: ['The header onBehalfOf is required.'] };
      throw new Refusal(400, 'ERR_BAD_REQUEST', 'The header onBehalfOf is missing.', details);
    }
    const me = this.#findUser(onBehalfOf);
    const data = this.#conversation(me, type, id);
    return type === 'users' && id === me.uid ? DOCUMENTED_REPLY : { data };
  }

  /**
   * A user's list has the conversations with the first five users and the friends, those that the user has put tags on,
   * and those in the user's groups.
   *
   * @returns the user's conversations, newest first; without a user those of all users, as CometChat does
   */
  list(onBehalfOf: string | undefined): Conversation[] {
    const owners = onBehalfOf ? [this.#findUser(onBehalfOf)] : [...this.#users.values()];
    return owners.flatMap((me) => this.#conversationsOf(me)).sort((a, b) => b.updatedAt - a.updatedAt);
  }

  /** @returns the body of the reply to `PUT /users|groups/{id}/conversation`; the tags replace the set */
  update(onBehalfOf: string | undefined, type: 'users' | 'groups', id: string, body: unknown): unknown {
    const me = this.#findUser(onBehalfOf ?? '');
    const conversation = this.#conversation(me, type, id);
    const tags = checkTags(body);
    const write = { onBehalfOf: me.uid, type, id, tags };
    this.#writes.set(`${me.uid} ${type} ${id}`, write);
    this.onWrite?.(write);
    return type === 'users' && id === me.uid ? DOCUMENTED_REPLY : { data: { ...conversation, tags } };
  }

  /** @returns the tags that one user has put on one conversation */
  tags(onBehalfOf: string, type: 'users' | 'groups', id: string): readonly string[] {
    return this.#writes.get(`${onBehalfOf} ${type} ${id}`)?.tags ?? [];
  }

  #conversationsOf(me: User): Conversation[] {
    const tagged = [...this.#writes.values()]
      .filter(({ onBehalfOf, type }) => onBehalfOf === me.uid && type === 'users')
      .map(({ id }) => id);
    const others = [...new Set([...this.#contacts, ...tagged])];
    const groups = GROUPS.filter(({ members }) => members.includes(me.uid));
    return [
      ...others
        .filter((uid) => uid !== me.uid && !areStrangers(me.uid, uid))
        .map((uid) => this.#conversation(me, 'users', uid)),
      ...groups.map(({ guid }) => this.#conversation(me, 'groups', guid)),
    ];
  }

  #conversation(me: User, type: 'users' | 'groups', id: string): Conversation {
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

function userConversation(me: User, other: User, tags: readonly string[]) {
  if (areStrangers(me.uid, other.uid)) {
    const text = `The conversation of ${me.uid} with ${other.uid} is not accessible.`;
    throw new Refusal(404, 'ERR_CONVERSATION_NOT_ACCESSIBLE', text);
  }
  return userDocument(me, other, tags);
}

function groupConversation(me: User, found: Group, tags: readonly string[]) {
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
