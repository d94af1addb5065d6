import t from 'tap';
import { reasonOf, startClient, startFront, TARGET } from './front.ts';

for (const status of [301, 302, 303, 307, 308]) {
  t.test(`the token does not follow a redirect with ${status}`, async (t) => {
    const elsewhere = await startFront(t, '');
    const { chat, front } = await startClient(t, { timeoutMs: 5000 });
    const reply = { status, headers: { location: `${elsewhere.origin}/me/conversations/tags` } };
    front.replies.push(reply, reply, reply);
    t.match(await reasonOf(chat.tags.set(TARGET, ['a'])), { code: 'unreachable' });
    t.equal(elsewhere.seen.length, 0);
    t.ok(front.seen.length > 0);
  });
}
