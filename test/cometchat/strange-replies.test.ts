import { once } from 'node:events';
import t from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { startGateway } from '../helpers/gateway.ts';
import { startSandbox } from '../helpers/sandbox.ts';
import { OTHER } from '../helpers/tokens.ts';
import { invalidReply } from './invalid-reply.ts';

const STRANGE: readonly [Name, errorType: string][] = [
  ['header-flood', 'HPE_HEADER_OVERFLOW'],
  ['body-over-cap', 'reply_too_large'],
  ['gzip-bomb', 'reply_invalid'],
  ['gzip-corrupt', 'reply_invalid'],
  ['redirect', 'redirect'],
  ['informational-flood', 'reply_informational'],
  ['no-content-with-body', 'HPE_INVALID'],
  ['not-modified-with-body', 'HPE_INVALID'],
  ['switching-protocols', 'reply_upgrade'],
];

t.test('a reply in an unknown form is a 502 at once, and never half an answer', async (t) => {
  const { meets, served, sandbox } = await startGateway(t);
  for (const [name, errorType] of STRANGE) {
    t.comment(name);
    sandbox.play(name);
    await meets(t, invalidReply(errorType));
    // Nothing of it is left on the connection.
    await served(t);
  }
});

t.test('an answer that is no HTTP is a 502', async (t) => {
  const { meets, sandbox } = await startGateway(t);
  sandbox.fault({ raw: ['SSH-2.0-OpenSSH_9.2\r\n'] });
  await meets(t, invalidReply('HPE_INVALID'));
});

t.test('a reply that nobody has asked for is nobody’s answer', async (t) => {
  const { served, sandbox, put } = await startGateway(t);
  const closed = new Promise<unknown>((resolve) =>
    sandbox.onConnection((socket) => resolve(once(socket, 'close'))),
  );
  sandbox.play('reply-nobody-asked-for');
  await served(t);
  await closed;
  const answer = await put({ tags: ['mine'], conversationWith: OTHER });
  t.match(answer.json, { conversations: [{ tags: ['mine'], conversationWith: { uid: OTHER } }] });
});

t.test('bytes after a reply are no part of it, and the connection is not used again', async (t) => {
  const { served, sandbox } = await startGateway(t);
  const closed = new Promise<unknown>((resolve) =>
    sandbox.onConnection((socket) => resolve(once(socket, 'close'))),
  );
  sandbox.play('bytes-after-body');
  await served(t);
  await closed;
});

t.test('nothing is sent to where a redirect points', async (t) => {
  const elsewhere = await startSandbox(t);
  const { meets, sandbox } = await startGateway(t);
  for (const status of [301, 302, 303, 307, 308]) {
    sandbox.fault({ status, headers: { location: `${elsewhere.baseUrl}/users/${OTHER}/conversation` } });
    await meets(t, invalidReply('redirect'));
  }
  t.equal(elsewhere.received, 0);
});

t.test('a reply may have 256 KiB, and not a byte more', async (t) => {
  const { meets, served, sandbox } = await startGateway(t);
  const body = JSON.stringify(DOCUMENTED_REPLY);
  sandbox.fault({ body: body.padEnd(256 * 1024) }, { body: body.padEnd(256 * 1024 + 1) });
  await served(t);
  await meets(t, invalidReply('reply_too_large'));
});
