/** The documents that CometChat's replies are made of, as long as the true ones. */

const ASSETS = 'https://assets.cometchat.io/sampleapp/v2';
const NAMES = ['Andrew Joseph', 'Nancy Grace', 'George Alan', 'Susan Marie', 'John Paul'];
const uid = (number: number): string => `cometchat-uid-${number}`;

/** @returns one of the users that every new CometChat app begins with, or one more of the kind */
export const makeUser = (number: number) => ({
  uid: uid(number),
  name: NAMES[number - 1] ?? `User ${number}`,
  avatar: `${ASSETS}/users/${uid(number)}.webp`,
  role: 'default',
  status: 'offline',
  createdAt: 1629869270,
});
const group = (guid: string, name: string, members: string[]) => ({
  guid,
  name,
  icon: `${ASSETS}/groups/${guid}.webp`,
  type: 'private',
  owner: uid(4),
  createdAt: 1630071341,
  members,
});

export type User = ReturnType<typeof makeUser>;
export type Group = ReturnType<typeof group>;

/** The group that every new CometChat app begins with, and the example's project group. */
export const GROUPS = [
  group('cometchat-guid-1', 'Hiking Group', [1, 2, 3, 4, 5].map(uid)),
  group('project-group', 'Project Group1', [1, 2, 3, 4].map(uid)),
] as const;
/** Two who have never written to each other: their conversation is not there yet. */
export const STRANGERS: ReadonlySet<string> = new Set([uid(4), uid(5)]);

/** @returns the conversation of two users, as the first of them sees it */
export function userDocument(me: User, other: User, tags: string[]) {
  const id = [me.uid, other.uid].sort().join('_user_');
  return conversation(id, 'user', tags, { ...other, conversationId: id }, message(id, other, me));
}

/** @returns the conversation in a group, as one of its members sees it */
export function groupDocument({ members, ...found }: Group, tags: string[]) {
  const id = `group_${found.guid}`;
  const withIt = {
    ...found,
    membersCount: members.length,
    hasJoined: true,
    scope: 'participant',
    conversationId: id,
  };
  return conversation(id, 'group', tags, withIt, message(id, makeUser(4), found));
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
