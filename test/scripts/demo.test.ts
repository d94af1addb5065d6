import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import t from 'tap';
import { testWith } from '../helpers/installed.ts';
import { Child } from '../helpers/process.ts';

t.test('npm run demo -- --once shows a PUT in four parts, a PATCH and a list, and ends with 0', async (t) => {
  const child = new Child(t, ['scripts/demo.ts', '--once']);
  t.equal(await child.exit(), 0);
  t.equal(child.stderr, '');
  const shown = child.stdout;
  t.match(shown, /^1 {2}Your app asks[\s\S]*PUT http[\s\S]*"conversationWith": "cometchat-uid-3"/m);
  t.match(shown, /^2 {2}The gateway asks CometChat[\s\S]*apikey: •+ {3}onBehalfOf: cometchat-uid-4/m);
  const [, upstream = ''] = /^3 {2}CometChat answers: 200, (\d+) bytes/m.exec(shown) ?? [];
  const [, slim = ''] = /^4 {2}Your app gets: 200, (\d+) bytes/m.exec(shown) ?? [];
  t.ok(Number(slim) > 0 && Number(upstream) > 2 * Number(slim));
  const calls = [...shown.matchAll(/CometChat gets: (\S+) (.*)/g)].map(([, method, rest]) => [method, rest]);
  t.match(calls, [
    ['GET', 'conversation → 200 ["archived","vip"]'],
    ['PUT', 'conversation {"tags":["vip","pinned"]} → 200'],
    ['GET', '/v3/conversations?withTags=true&perPage=50&page=1&tags=pinned → 200'],
  ]);
  t.equal([...shown.matchAll(/Your app gets: 200 George Alan \["vip","pinned"\]/g)].length, 2);
  t.match(shown, /^3 {2}.*\n {3}\{\n[\s\S]*?\n {3}… \d+ more lines\n\n4 /m);
  t.ok(shown.split('\n').length < 56, 'it fits one screen');
});

t.test('nothing that it shows is wider than a terminal of 100 columns, tokens apart', async (t) => {
  const child = new Child(t, ['scripts/demo.ts', '--port', '0']);
  const [, origin = ''] = await child.says(/GATEWAY=(\S+)[\s\S]*-d '.+'\n/);
  await fetch(`${origin}/me/conversations`, { headers: { authorization: 'Bearer none' } });
  await child.says(/-d '[\s\S]*INFO: request[\s\S]*"problem":/);
  const wide = child.stdout.split('\n').filter((line) => line.length > 100);
  t.match(
    wide.map((line) => line.trim().replace(/=.*/, '')),
    ['TOKEN', 'EXPIRED_TOKEN'],
  );
  t.equal(wide.length, 2);
});

testWith('curl', 'npm run demo stays up, and its lines to try work in a shell', async (t) => {
  const child = new Child(t, ['scripts/demo.ts', '--port', '0']);
  const [, lines = ''] = await child.says(/( +GATEWAY=[\s\S]*-d '.+')\n/);
  const shell = async (text: string) =>
    JSON.parse((await promisify(execFile)('bash', ['-c', text], { env: { PATH: process.env.PATH } })).stdout);
  t.match(await shell(lines), { conversations: [{ tags: ['archived', 'vip'] }] });
  t.match(await shell(lines.replace('Bearer $TOKEN', 'Bearer $EXPIRED_TOKEN')), { code: 'session-expired' });
  await child.says(/-d '[\s\S]*INFO: request/);
  child.process.kill('SIGINT');
  await child.says(/\nending…\n$/);
  t.equal(await child.exit(), 0);
});

t.test('npm run demo serves a page whose origin may call, and signs its users in', async (t) => {
  const child = new Child(t, ['scripts/demo.ts', '--port', '0']);
  const [, page = '', gateway = ''] = await child.says(/ (http\S+)\/\n[\s\S]*GATEWAY=(\S+)\n/);
  t.match(child.stdout, /\/\n {3}A page of your own may call, too: npm run demo -- --cors <its origin>\n/);
  t.match(await (await fetch(page)).text(), '<!doctype html>');
  t.match(await (await fetch(`${page}/page/settings`)).json(), { gateway });
  const session = await fetch(`${page}/page/session?user=cometchat-uid-1`);
  const { token } = (await session.json()) as { token: string };
  const headers = { authorization: `Bearer ${token}`, origin: page };
  const answer = await fetch(`${gateway}/me/conversations`, { headers });
  t.equal(answer.status, 200);
  t.equal(answer.headers.get('access-control-allow-origin'), page);
});

/** What the demo's first calls to CometChat meet: PUT; GET and PUT; GET. */
const FAILING: readonly [claim: string, faults: object[], shown: RegExp][] = [
  ['the PUT fails', [{ status: 500 }], /^3 {2}CometChat answers: 500[\s\S]*^4 {2}Your app gets: 502/m],
  [
    'the PATCH fails',
    [{ method: 'GET', status: 500 }],
    /CometChat gets: GET .* → 500\n +Your app gets: 502 CometChat failed/,
  ],
  [
    'the list fails',
    [{ method: 'GET' }, { method: 'GET', status: 500 }],
    /"vip","pinned"[\s\S]*tags=pinned → 500\n +Your app gets: 502 CometChat failed/,
  ],
  [
    'the list lacks the conversation',
    [{ method: 'GET' }, { method: 'GET', status: 200, body: { data: [] } }],
    /Your app gets: 200 \{"page":1,/,
  ],
];
for (const [claim, faults, shown] of FAILING) {
  t.test(`npm run demo -- --once ends with 1 where ${claim}`, async (t) => {
    const args = ['--import=./test/fixtures/failing-cometchat.ts', 'scripts/demo.ts', '--once'];
    const child = new Child(t, args, { FAULTS: JSON.stringify(faults) });
    t.equal(await child.exit(), 1);
    t.equal(child.stderr, '');
    t.match(child.stdout, shown);
  });
}
