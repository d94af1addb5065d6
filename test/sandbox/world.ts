import { readFileSync } from 'node:fs';

/** The example of CometChat's "Update User Conversation" page. */
export const DOCUMENTED_REPLY: { data: Record<string, unknown>[] } = JSON.parse(
  readFileSync(new URL('documented-reply.json', import.meta.url), 'utf8'),
);

const ASSETS = 'https://assets.cometchat.io/sampleapp/v2';
const user = (number: number, name: string) => ({
  uid: `cometchat-uid-${number}`,
  name,
  avatar: `${ASSETS}/users/cometchat-uid-${number}.webp`,
  role: 'default',
  status: 'offline',
  createdAt: 1629869270,
});
const group = (guid: string, name: string, members: string[]) => ({
  guid,
  name,
  icon: `${ASSETS}/groups/${guid}.webp`,
  type: 'private',
  owner: 'cometchat-uid-4',
  createdAt: 1630071341,
  members,
});

type User = ReturnType<typeof user>;
type Group = ReturnType<typeof group>;

/** The users and groups that every new CometChat app begins with, and the example's project group. */
const USERS = ['Andrew Joseph', 'Nancy Grace', 'George Alan', 'Susan Marie', 'John Paul'].map((name, index) =>
  user(index + 1, name),
);
const [first = '', second = '', third = '', fourth = '', fifth = ''] = USERS.map(({ uid }) => uid);
const GROUPS = [
  group('cometchat-guid-1', 'Hiking Group', [first, second, third, fourth, fifth]),
  group('project-group', 'Project Group1', [first, second, third, fourth]),
];
/** Two who have never written to each other: their conversation is not there yet. */
const STRANGERS = new Set([fourth, fifth]);

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

/** What CometChat knows and remembers, as far as the conversation calls go. */
export class World {
  /** Tags by who put them on which conversation; the other side has a set of its own. */
  readonly #tags = new Map<string, string[]>();

  /** @returns the body of the reply to `GET /users|groups/{id}/conversation` */
  read(onBehalfOf: string | undefined, type: 'users' | 'groups', id: string): unknown {
    const me = findUser(onBehalfOf ?? '');
    return { data: this.#conversation(me, type, id) };
  }

  /** @returns the body of the reply to `PUT /users|groups/{id}/conversation`; the tags replace the set */
  update(onBehalfOf: string | undefined, type: 'users' | 'groups', id: string, body: unknown): unknown {
    const me = findUser(onBehalfOf ?? '');
    const conversation = this.#conversation(me, type, id);
    const tags = checkTags(body);
    this.#tags.set(`${me.uid} ${type} ${id}`, tags);
    return type === 'users' && id === me.uid ? DOCUMENTED_REPLY : { data: { ...conversation, tags } };
  }

  /** @returns the tags that one user has put on one conversation */
  tags(onBehalfOf: string, type: 'users' | 'groups', id: string): string[] {
    return this.#tags.get(`${onBehalfOf} ${type} ${id}`) ?? [];
  }

  #conversation(me: User, type: 'users' | 'groups', id: string) {
    const tags = this.tags(me.uid, type, id);
    return type === 'users'
      ? userConversation(me, findUser(id), tags)
      : groupConversation(me, findGroup(id), tags);
  }
}

function findUser(uid: string): User {
  const found = USERS.find((one) => one.uid === uid);
  if (!found) throw new Refusal(404, 'ERR_UID_NOT_FOUND', `The user with UID ${uid} does not exist.`);
  return found;
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
  const id = [me.uid, other.uid].sort().join('_user_');
  return conversation(id, 'user', tags, { ...other, conversationId: id }, message(id, other, me));
}

function groupConversation(me: User, { members, ...found }: Group, tags: string[]) {
  if (!members.includes(me.uid)) {
    throw new Refusal(403, 'ERR_NOT_A_MEMBER', `${me.uid} is not a member of ${found.guid}.`);
  }
  const id = `group_${found.guid}`;
  const withIt = {
    ...found,
    membersCount: members.length,
    hasJoined: true,
    scope: 'participant',
    conversationId: id,
  };
  return conversation(id, 'group', tags, withIt, message(id, findUser(fourth), found));
}

const conversation = (
  conversationId: string,
  conversationType: string,
  tags: string[],
  conversationWith: object,
  lastMessage: object,
) => ({
  conversationId,
  conversationType,
  tags,
  unreadMessageCount: 0,
  createdAt: 1630071782,
  updatedAt: 1630481413,
  lastMessage,
  conversationWith,
});

/** As long as CometChat's are: sender and receiver stand in every message with all their fields. */
const message = (conversationId: string, sender: User, receiver: User | Omit<Group, 'members'>) => ({
  id: '50',
  muid: '_1630305562_50',
  conversationId,
  sender: sender.uid,
  receiverType: 'uid' in receiver ? 'user' : 'group',
  receiver: 'uid' in receiver ? receiver.uid : receiver.guid,
  category: 'message',
  type: 'text',
  data: {
    text: 'Shall we meet at nine?',
    resource: 'WEB-3_0_0-00000000-0000-0000-0000-000000000000',
    entities: {
      sender: { entity: sender, entityType: 'user' },
      receiver: { entity: receiver, entityType: 'uid' in receiver ? 'user' : 'group' },
    },
  },
  sentAt: 1630305562,
  deliveredAt: 1630305563,
  readAt: 1630305570,
  updatedAt: 1630305570,
});

function checkTags(body: unknown): string[] {
  const tags = typeof body === 'object' && body !== null && 'tags' in body ? body.tags : undefined;
  const fits = (tag: unknown) => typeof tag === 'string' && tag.length > 0 && tag.length <= 100;
  if (!Array.isArray(tags) || tags.length > 25 || !tags.every(fits)) {
    const details = { tags: ['The tags must be an array of at most 25 strings of 1 to 100 characters.'] };
    throw new Refusal(400, 'ERR_BAD_REQUEST', 'Failed to validate the data sent with the request.', details);
  }
  return tags;
}
