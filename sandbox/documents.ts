/** The documents that CometChat's replies are made of, as long as the true ones. */

const ASSETS = 'https://assets.cometchat.io/sampleapp/v2';
const NAMES = ['Andrew Joseph', 'Nancy Grace', 'George Alan', 'Susan Marie', 'John Paul'];
const uid = (number: number): string => `cometchat-uid-${number}`;

const user = (uid: string, name: string) => ({
  uid,
  name,
  avatar: `${ASSETS}/users/${uid}.webp`,
  role: 'default',
  status: 'offline',
  createdAt: 1629869270,
});
const group = (age: number, guid: string, name: string, members: string[]) => ({
  age,
  guid,
  name,
  icon: `${ASSETS}/groups/${guid}.webp`,
  type: 'private',
  owner: uid(4),
  createdAt: 1630071341,
  members,
});

export type User = ReturnType<typeof user>;
export type Group = ReturnType<typeof group>;
export type Conversation = ReturnType<typeof conversation>;
type GroupDocument = Omit<Group, 'age' | 'members'>;

/** @returns one of the users that every new CometChat app begins with, or one more of the kind */
export const makeUser = (number: number): User => user(uid(number), NAMES[number - 1] ?? `User ${number}`);

/** Users who have conversations with everybody, so that every list has several pages: `friend-01` to `friend-56`. */
export const FRIENDS: readonly User[] = Array.from({ length: 56 }, (_, index) =>
  user(`friend-${String(index + 1).padStart(2, '0')}`, `Friend ${index + 1}`),
);
/** What everybody has unread from these friends; CometChat writes it as a number, and as a string. */
const UNREAD: Readonly<Record<string, number | string>> = {
  'friend-02': 1,
  'friend-03': '3',
  'friend-11': 12,
  'friend-17': 2,
  'friend-24': 1,
  'friend-25': 120,
  'friend-33': '1',
  'friend-41': 4,
  'friend-50': 1,
  'friend-56': 7,
};
/** Friends whose last message to everybody is deleted. */
const SILENT: ReadonlySet<string> = new Set(['friend-05', 'friend-23', 'friend-55']);

/** The group that every new CometChat app begins with, and the example's project group. */
export const GROUPS = [
  group(20, 'cometchat-guid-1', 'Hiking Group', [1, 2, 3, 4, 5].map(uid)),
  group(0, 'project-group', 'Project Group1', [1, 2, 3, 4].map(uid)),
] as const;
/** Two who have never written to each other: their conversation is not there yet. */
const STRANGERS: ReadonlySet<string> = new Set([uid(4), uid(5)]);
export const areStrangers = (one: string, other: string): boolean =>
  one !== other && STRANGERS.has(one) && STRANGERS.has(other);

const NEWEST = 1630481413;
const AGE_SECONDS = 900;

/** @returns the conversation of two users, as the first of them sees it */
export function userDocument(me: User, other: User, tags: readonly string[]): Conversation {
  const conversationId = [me.uid, other.uid].sort().join('_user_');
  const isSilent = SILENT.has(me.uid) || SILENT.has(other.uid);
  return conversation({
    conversationId,
    conversationType: 'user',
    tags,
    unreadMessageCount: UNREAD[other.uid] ?? 0,
    // Both see the same time, and hardly two of a user's conversations have the same.
    age: Math.abs(rank(me) - rank(other)) - 1,
    lastMessage: isSilent ? undefined : message(conversationId, other, me),
    conversationWith: { ...other, conversationId },
  });
}

/** @returns the place among all users: those with a number, then the friends */
const rank = ({ uid }: User): number =>
  Number(/\d+$/.exec(uid)?.[0]) + (uid.startsWith('friend-') ? NAMES.length : 0);

/** @returns the conversation in a group, as one of its members sees it */
export function groupDocument({ members, age, ...found }: Group, tags: readonly string[]): Conversation {
  const conversationId = `group_${found.guid}`;
  const joined = { membersCount: members.length, hasJoined: true, scope: 'participant' };
  return conversation({
    conversationId,
    conversationType: 'group',
    tags,
    unreadMessageCount: 0,
    age,
    lastMessage: message(conversationId, makeUser(4), found),
    conversationWith: { ...found, ...joined, conversationId },
  });
}

interface Parts {
  readonly conversationId: string;
  readonly conversationType: 'user' | 'group';
  readonly tags: readonly string[];
  readonly unreadMessageCount: number | string;
  readonly age: number;
  readonly lastMessage: object | undefined;
  readonly conversationWith: object;
}

const conversation = ({ age, lastMessage, conversationWith, ...parts }: Parts) => ({
  ...parts,
  createdAt: 1630071782,
  updatedAt: NEWEST - age * AGE_SECONDS,
  ...(lastMessage && { lastMessage }),
  conversationWith,
});

/** As long as CometChat's are: sender and receiver stand in every message with all their fields. */
const message = (conversationId: string, sender: User, receiver: User | GroupDocument) => ({
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
