import t from 'tap';
import { environment } from './helpers/environment.ts';
import { startGateway } from './helpers/gateway.ts';
import { Child } from './helpers/process.ts';
import { SECRET } from './helpers/secrets.ts';
import { AUDIENCE, ISSUER, ME } from './helpers/tokens.ts';

t.test('npm run demo -- --once shows a PUT in four parts, a PATCH and a list, and ends with 0', async (t) => {
  const child = new Child(t, ['scripts/demo.ts', '--once']);
  t.equal(await child.exit(), 0);
  t.equal(child.stderr, '');
  const shown = child.stdout;
  t.match(shown, /^1 {2}Your app asks[\s\S]*PUT http[\s\S]*"conversationWith":"cometchat-uid-3"/m);
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
  t.ok(shown.split('\n').length < 45, 'it fits one screen');
});

t.test('npm run demo stays up, and its curl line works', async (t) => {
  const child = new Child(t, ['scripts/demo.ts']);
  const [, url = '', token = '', body = ''] = await child.says(
    /curl -X PUT (\S+)[\s\S]*Bearer (\S+)'[\s\S]*-d '(.+)'/,
  );
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(url, { method: 'PUT', headers, body });
  t.equal(answer.status, 200);
  await child.says(/-d '[\s\S]*INFO: request/);
  t.match(
    child.stdout,
    `   GATEWAY=${new URL(url).origin}\n   TOKEN=${token}\n`,
    'for the README’s examples',
  );
  child.process.kill('SIGINT');
  t.equal(await child.exit(), 0);
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

t.test('npm run demo takes no other words', async (t) => {
  const child = new Child(t, ['scripts/demo.ts', '--twice']);
  t.not(await child.exit(), 0);
});

t.test('npm run token prints a token that the gateway takes, and nothing else', async (t) => {
  const child = new Child(t, ['scripts/token.ts', ME], environment('https://chat.example'));
  t.equal(await child.exit(), 0);
  t.match(child.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
  const { put } = await startGateway(t);
  t.equal((await put({ tags: [] }, { authorization: `Bearer ${child.stdout.trim()}` })).status, 200);
});

t.test('its token is from the first issuer, and for the first audience, in the claim for that', async (t) => {
  const several = {
    SESSION_ISSUER: `${ISSUER} , https://other.example`,
    SESSION_AUDIENCE: `${AUDIENCE},other`,
    SESSION_AUDIENCE_CLAIM: 'client_id',
  };
  const child = new Child(t, ['scripts/token.ts', ME], {
    ...environment('https://chat.example'),
    ...several,
  });
  t.equal(await child.exit(), 0);
  const { put } = await startGateway(t, several);
  t.equal((await put({ tags: [] }, { authorization: `Bearer ${child.stdout.trim()}` })).status, 200);
});

t.test('npm run token says what is missing', async (t) => {
  const nobody = new Child(t, ['scripts/token.ts'], environment('https://chat.example'));
  t.equal(await nobody.exit(), 64);
  t.match(nobody.stderr, /usage: /);
  const nothing = new Child(t, ['scripts/token.ts', ME]);
  t.equal(await nothing.exit(), 78);
  t.match(nothing.stderr, /SESSION_SECRET: is missing[\s\S]*SESSION_ISSUER[\s\S]*SESSION_AUDIENCE/);
  const env = { SESSION_SECRET: `${SECRET},short`, SESSION_ISSUER: ISSUER, SESSION_AUDIENCE: AUDIENCE };
  const short = new Child(t, ['scripts/token.ts', ME], env);
  t.equal(await short.exit(), 78);
  t.match(short.stderr, /SESSION_SECRET: must have 32 bytes or more; secret number 2/);
  t.equal(nobody.stdout + nothing.stdout + short.stdout, '');
});
