import { type Signer, signSession } from '../scripts/sign-session.ts';

export const USERS = 200;
/** Each user's others. Not the next user: 4 and 5 are strangers to each other. */
const OTHERS = [2, 7, 31];
const GROUP = 'cometchat-guid-1';
const GROUP_MEMBERS = 5;

/** A conversation as one user sees it, and what it takes to put tags on it. */
export interface Conversation {
  readonly name: string;
  readonly user: string;
  readonly token: string;
  readonly target: { readonly conversationWith: string; readonly conversationType: 'user' | 'group' };
}

/** @returns what the tags of this user on this conversation are told apart by */
export const conversationName = (user: string, other: string): string => `${user} with ${other}`;

const uid = (number: number) => `cometchat-uid-${number}`;

/** Signs every user in, and gives all conversations of all users. */
export async function allConversations(session: Signer): Promise<Conversation[]> {
  const conversations: Conversation[] = [];
  for (let number = 1; number <= USERS; number += 1) {
    const token = await signSession(session, { sub: uid(number) });
    const add = (conversationWith: string, conversationType: 'user' | 'group') =>
      conversations.push({
        name: conversationName(uid(number), conversationWith),
        user: uid(number),
        token,
        target: { conversationWith, conversationType },
      });
    for (const distance of OTHERS) add(uid(((number + distance - 1) % USERS) + 1), 'user');
    if (number <= GROUP_MEMBERS) add(GROUP, 'group');
  }
  return conversations;
}
