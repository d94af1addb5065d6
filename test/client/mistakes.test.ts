import t from 'tap';
import { createClient, type Target } from '../../client/src/index.ts';
import { reasonOf, startClient, TARGET } from './front.ts';

t.test('an address that is none is refused when the client is made', async (t) => {
  for (const baseUrl of [
    '',
    'chat.example',
    '/api',
    'ftp://chat.example',
    'https://a?b',
    'https://a#b',
    'https://a b',
  ]) {
    t.throws(() => createClient({ baseUrl }), { name: 'TypeError', message: /^baseUrl/ }, baseUrl);
  }
  t.throws(() => createClient({} as { baseUrl: string }), TypeError);
});

t.test('a token that no header can have is not sent, nor shown', async (t) => {
  for (const token of ['secret\n', 'secret ü', 'se cret', '', undefined, null]) {
    for (const source of [
      () => token as string,
      async (refused?: unknown) => (refused ? (token as string) : 'expired'),
    ]) {
      const { chat, front } = await startClient(t, {
        token: source,
        replies: [
          {
            status: 401,
            body: '{"type":"urn:cometchat-gateway:problem:session-expired","code":"session-expired"}',
          },
        ],
      });
      const error = await reasonOf(chat.tags.get(TARGET));
      t.match(error, { name: 'TypeError', message: 'token gave no session token' });
      t.ok(front.seen.every(({ headers }) => headers.authorization === 'Bearer expired'));
    }
  }
});

t.test('a body that JSON cannot hold is not taken for a gateway that cannot be reached', async (t) => {
  const { chat, front } = await startClient(t);
  const tags = [1n] as unknown as string[];
  t.match(await reasonOf(chat.tags.set(TARGET, tags)), { name: 'TypeError' });
  t.equal(front.seen.length, 0);
});

t.test('without conversationWith, nothing is sent: it would be about another conversation', async (t) => {
  const { chat, front } = await startClient(t);
  const given = [undefined, null, {}, { conversationWith: '' }, { conversationWith: undefined }];
  for (const target of given as Target[]) {
    for (const operation of [
      () => chat.tags.get(target),
      () => chat.tags.set(target, ['a']),
      () => chat.tags.add(target, ['a']),
      () => chat.tags.remove(target, ['a']),
      () => chat.tags.change(target, { add: ['a'] }),
    ]) {
      let promise: Promise<unknown> = Promise.resolve();
      t.doesNotThrow(() => {
        promise = operation();
      });
      await t.rejects(promise, TypeError);
    }
  }
  t.equal(front.seen.length, 0);
});

t.test('each mistake is a rejection', async (t) => {
  const { chat } = await startClient(t);
  for (const operation of [
    () => chat.tags.get({ conversationWith: '\ud800' }),
    () => chat.tags.change(TARGET, undefined as never),
  ]) {
    let promise: Promise<unknown> = Promise.resolve();
    t.doesNotThrow(() => {
      promise = operation();
    });
    await t.rejects(promise);
  }
});
