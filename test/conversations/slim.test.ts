import t from 'tap';
import { DOCUMENTED_REPLY, World } from '../../sandbox/world.ts';
import { readConversations, type UpstreamConversation } from '../../src/cometchat/conversation.ts';
import { ConversationsSchema, slimConversations } from '../../src/conversations/conversation.ts';

/** The conversations of a reply; none where it is in an unknown form. */
function read(document: unknown): UpstreamConversation[] {
  const reading = readConversations(document, []);
  return 'value' in reading ? reading.value : [];
}

const documented = read(DOCUMENTED_REPLY);
const one = documented[0] as UpstreamConversation;

t.test('the examples of openapi.yaml are what clients get', async (t) => {
  const [user, group] = ConversationsSchema.examples;
  t.strictSame(slimConversations(documented), group?.conversations);
  const tags = ['archived', 'vip'];
  const reply = new World().update('cometchat-uid-4', 'users', 'cometchat-uid-3', { tags });
  t.strictSame(slimConversations(read(reply)), user?.conversations);
});

t.test('what CometChat has none of is left out', async (t) => {
  for (const tags of [undefined, null]) {
    t.notOk('tags' in (slimConversations([{ ...one, tags }] as UpstreamConversation[])[0] ?? {}));
  }
  const { lastMessage: _, ...silent } = one;
  for (const conversation of [silent, { ...one, lastMessage: null }] as UpstreamConversation[]) {
    t.notOk('lastMessage' in (slimConversations([conversation])[0] ?? {}));
  }
  const bare = { ...one, conversationType: 'group', conversationWith: { guid: 'g', name: 'G', icon: null } };
  const [slim] = slimConversations([bare as UpstreamConversation]);
  t.strictSame(slim?.conversationWith, { guid: 'g', name: 'G' });
  const user = { ...one, conversationType: 'user', conversationWith: { uid: 'u', name: 'U' } };
  t.strictSame(slimConversations([user as UpstreamConversation])[0]?.conversationWith, {
    uid: 'u',
    name: 'U',
  });
});

t.test('an unread count or a message id of the other type becomes the one type', async (t) => {
  const lastMessage = { ...one.lastMessage, id: 50 } as NonNullable<UpstreamConversation['lastMessage']>;
  const [slim] = slimConversations([{ ...one, unreadMessageCount: '7', lastMessage }]);
  t.match(slim, { unreadMessageCount: 7, lastMessage: { id: '50' } });
});
