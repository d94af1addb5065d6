import t from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { OTHER } from '../helper.ts';
import { upstream } from './upstream.ts';

/** A reply that nothing can be made of is told apart by its error type, and not asked for again. */
const STRANGE: readonly [Name, errorType: string][] = [
  ['13-bytes-after-body', 'HPE_INVALID_CONSTANT'],
  ['14-header-flood', 'HPE_HEADER_OVERFLOW'],
  ['15-body-over-cap', 'reply_too_large'],
  ['16-gzip-bomb', 'reply_invalid'],
  ['16-gzip-corrupt', 'reply_invalid'],
  ['17-redirect', 'redirect'],
  ['18-1xx-flood', 'reply_informational'],
  ['18-204-with-body', 'HPE_INVALID_CONSTANT'],
  ['18-304-with-body', 'HPE_INVALID_CONSTANT'],
  ['18-switching-protocols', 'reply_upgrade'],
];

const reply = (body: string) =>
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

t.test('13 to 18: a reply in an unknown form is a 502 at once, and never half an answer', async (t) => {
  for (const [name, errorType] of STRANGE) {
    const { meets, sandbox, setTags } = await upstream(t);
    sandbox.play(name);
    t.comment(name);
    await meets(t, {
      answer: [502, 'cometchat-reply-invalid'],
      calls: 1,
      line: { level: 'warn', problem: 'cometchat-reply-invalid', error: { type: errorType } },
      moved: { 'problems cometchat-reply-invalid': 1, 'attempts cometchat-reply-invalid': 1 },
    });
    t.equal((await setTags()).status, 200, 'nothing of it is left on the connection');
  }
});

t.test('13: a reply that nobody has asked for is nobody’s answer', async (t) => {
  const { meets, sandbox, put } = await upstream(t);
  const idle = new Promise((resolve) => sandbox.onConnection((socket) => socket.once('close', resolve)));
  sandbox.play('13-reply-nobody-asked-for');
  await meets(t, { answer: 200, calls: 1, line: {}, moved: { 'attempts ok': 1 } });
  await idle;
  const answer = await put({ tags: ['mine'], conversationWith: OTHER });
  t.strictSame(answer.json.conversations[0].tags, ['mine']);
  t.equal(answer.json.conversations[0].conversationWith.uid, OTHER);
});

t.test('17: nothing goes to where a redirect points', async (t) => {
  const { sandbox, setTags } = await upstream(t);
  const elsewhere = await upstream(t);
  for (const status of [301, 302, 303, 307, 308]) {
    sandbox.fault({ status, headers: { location: elsewhere.sandbox.baseUrl } });
    t.equal((await setTags()).status, 502);
  }
  t.equal(sandbox.received, 5);
  t.equal(elsewhere.sandbox.received, 0);
});

t.test('15: the cap is 256 KiB', async (t) => {
  const { sandbox, setTags, requests } = await upstream(t);
  for (const [kib, status] of [
    [250, 200],
    [260, 502],
  ] as const) {
    sandbox.fault({
      status: 200,
      body:
        JSON.stringify(DOCUMENTED_REPLY) + ' '.repeat(kib * 1024 - JSON.stringify(DOCUMENTED_REPLY).length),
    });
    t.equal((await setTags()).status, status);
  }
  t.match(requests().at(-1), { error: { type: 'reply_too_large' } });
});

t.test('18: some informational replies are no fault', async (t) => {
  const { sandbox, setTags } = await upstream(t);
  const hint = 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n';
  for (const [times, status] of [
    [8, 200],
    [9, 502],
  ] as const) {
    sandbox.fault({ raw: [{ repeat: hint, times }, reply(JSON.stringify(DOCUMENTED_REPLY))] });
    t.equal((await setTags()).status, status, `${times}`);
  }
});
