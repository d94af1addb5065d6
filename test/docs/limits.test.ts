import t from 'tap';
import { type Clock, MACHINE_CLOCK } from '../../src/base/clock.ts';
import { MAX_REPLY_BYTES } from '../../src/cometchat/exchange.ts';
import { listConversations } from '../../src/cometchat/operations.ts';
import { waitForShare } from '../../src/cometchat/quota.ts';
import { EnvironmentSchema } from '../../src/config/variables.ts';
import { MAX_BYTES as MAX_KEY_SET_BYTES } from '../../src/session/key-set.ts';
import { codeIn, pageOf, sectionOf, tableIn } from '../helpers/docs-page.ts';
import { startGateway } from '../helpers/gateway.ts';
import { OTHER, sign } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

const text = pageOf('limits.md');
const section = (heading: string) => sectionOf(text, heading);
const ROWS = tableIn(text, 'limit', 'value', 'variable', 'what the client gets');
const KIB = 1024;

const row = (limit: string) => {
  const found = ROWS.find(([first]) => first === limit);
  if (!found) throw new Error(`there is no row ${limit}`);
  return found;
};
/** The value of a row, as a number; KiB and seconds count as such. */
const value = (limit: string): number => Number.parseInt(`${row(limit)[1]}`, 10);
/** The first code that a client gets beyond it. */
const beyond = (limit: string): string => `${codeIn(`${row(limit)[3]}`)[0]}`;

t.test('each variable has the default that the page says', async (t) => {
  const set = ROWS.filter(([, , variable]) => variable?.startsWith('`'));
  t.equal(set.length, 6);
  for (const [limit = '', , variable = ''] of set) {
    const name = variable.slice(1, -1) as keyof typeof EnvironmentSchema.properties;
    t.equal(value(limit), EnvironmentSchema.properties[name].default, name);
  }
});

t.test('bodies, tags and ids have the bounds that the page says', async (t) => {
  const { put, patch, list } = await startGateway(t);
  const tags = (count: number) => Array.from({ length: count }, (_, number) => `t${number}`);
  const body = (bytes: number) => JSON.stringify({ tags: [], conversationWith: OTHER }).padEnd(bytes);
  const rules = [
    ['Body of a request', (bytes: number) => put(body(bytes))],
    [
      'Different tags in `tags`, `add` or `remove`, each',
      (count: number) => put({ tags: tags(count), conversationWith: OTHER }),
    ],
    [
      'Length of a tag, in UTF-16 code units',
      (length: number) => put({ tags: ['a'.repeat(length)], conversationWith: OTHER }),
    ],
    ['`perPage`', (perPage: number) => list({ perPage: `${perPage}` })],
    ['`page`', (number: number) => list({ page: `${number}` })],
  ] as const;
  for (const [limit, ask] of rules) {
    const most = value(limit) * (row(limit)[1]?.endsWith(' KiB') ? KIB : 1);
    t.not((await ask(most)).json.code, beyond(limit), limit);
    t.equal((await ask(most + 1)).json.code, beyond(limit), limit);
  }
  const most = value('Tags of a conversation after a PATCH');
  await put({ tags: tags(most), conversationWith: OTHER });
  t.equal(
    (await patch({ add: ['one more'], conversationWith: OTHER })).json.code,
    beyond('Tags of a conversation after a PATCH'),
  );
  const length = value('Length of `conversationWith`');
  const to = async (uid: string) => (await put({ tags: [], conversationWith: uid })).json.code;
  t.equal(await to('u'.repeat(length)), 'user-not-found');
  t.equal(await to('u'.repeat(length + 1)), beyond('Length of `conversationWith`'));
  const unknown = Object.fromEntries(tags(30).map((name) => [name, 1]));
  t.equal(
    (await put({ tags: [], ...unknown })).json.errors.length,
    value('Entries in `errors` of a problem'),
  );
});

t.test('a connection has the bounds that the page says', async (t) => {
  const timers = new Set<number>();
  const clock: Clock = {
    ...MACHINE_CLOCK,
    after(ms, run) {
      timers.add(ms);
      return MACHINE_CLOCK.after(ms, run);
    },
  };
  const { app, get, raw, requests, sandbox } = await startGateway(t, {}, { seams: { clock } });
  const most = value('Request line and headers') * KIB;
  const withHeader = async (bytes: number) => get('/livez', { headers: { x: 'a'.repeat(bytes) } });
  t.equal((await withHeader(most - KIB)).status, 200);
  t.equal((await withHeader(most)).json.code, beyond('Request line and headers'));

  const request = `GET /me/conversations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${await sign()}\r\n\r\n`;
  const many = value('Requests under way on one connection');
  const release = sandbox.hold();
  const reply = raw(request.repeat(many + 1));
  await until('a rejection', () => requests().some(({ msg }) => msg === 'no whole request'));
  release();
  const answers = (await reply).split(/(?=HTTP\/1\.1 )/);
  t.equal(answers.filter((answer) => answer.startsWith('HTTP/1.1 200 ')).length, many);
  t.match(answers.at(-1), beyond('Requests under way on one connection'));

  t.equal(app.server.requestTimeout, value('Time for a request to arrive') * 1000);
  t.equal(app.server.keepAliveTimeout, value('Time of a connection without a request') * 1000);
  t.ok(timers.has(value('Time for a client to read a reply') * 1000));
});

t.test('attempts and replies have the bounds that the page says', async (t) => {
  const { setTags, sandbox } = await startGateway(t);
  sandbox.play('status-503', 9);
  await setTags();
  t.equal(sandbox.calls.length, value('Attempts of one request'));
  t.equal(MAX_REPLY_BYTES, value('Reply of CometChat') * KIB);
  const forEach = value('The same for a list, for each conversation of `perPage`, if that is more');
  t.equal(listConversations({ page: 1, perPage: 7, tags: [] }).maxReplyBytes, 7 * forEach * KIB);
  t.equal(MAX_KEY_SET_BYTES, value('Key set of an identity provider, unpacked') * KIB);
});

const SHARE = section("## CometChat's quota and the fair share");
const QUOTA = Number(/The quota is (\d+)/.exec(SHARE)?.[1]);

t.test('users get the shares of the page’s example', async (t) => {
  let spent = 0;
  for (const [user = '', calls, left] of tableIn(SHARE, 'user', 'calls at once', 'calls left')) {
    let mine = 0;
    for (; waitForShare({ limit: QUOTA, spent, mine, elapsedMs: 0 }) === 0; mine += 1) spent += 1;
    t.equal(mine, Number(calls), user);
    t.equal(QUOTA - spent, Number(left), user);
  }
});

t.test('the first user of the example is refused when the page says', async (t) => {
  const env = { COMETCHAT_CALLS_PER_MINUTE: `${QUOTA}` };
  const { patch, sandbox } = await startGateway(t, env, { seams: { now: () => 0 } });
  const [, last, calls, code, seconds] =
    /The (\d+)th still succeeds: (\d+) calls\. The \d+th gets\s+503\s+`([^`]+)` with `Retry-After: (\d+)`/.exec(
      SHARE,
    ) ?? [];
  for (let number = 1; number <= Number(last); number += 1) {
    t.equal(
      (await patch({ add: [`t${number % 2}`], remove: [`t${1 - (number % 2)}`], conversationWith: OTHER }))
        .status,
      200,
    );
  }
  t.equal(sandbox.calls.length, Number(calls));
  const refused = await patch({ add: ['one more'], conversationWith: OTHER });
  t.equal(refused.json.code, code);
  t.equal(refused.headers.get('retry-after'), seconds);
});
