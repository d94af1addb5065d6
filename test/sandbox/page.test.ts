import { once } from 'node:events';
import http from 'node:http';
import { registerHooks } from 'node:module';
import net from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import type { CometChatEvent, ModeState } from '../../sandbox/page/browser/events.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import { startSandbox } from '../helpers/sandbox.ts';
import { until } from '../helpers/until.ts';
import { KEY, sandboxed } from './sandboxed.ts';

const loaded: string[] = [];
registerHooks({
  load(url, context, nextLoad) {
    loaded.push(url);
    return nextLoad(url, context);
  },
});
const PATH = '/v3/users/cometchat-uid-2/conversation';
const GATEWAY = 'http://127.0.0.1:3000';

const serve = (sandbox: Sandbox) =>
  sandbox.servePage({
    gateway: GATEWAY,
    signIn: async (user, expired) => `token of ${user}${expired ? ', expired' : ''}`,
  });

/** Asks for exactly this path, which fetch would tidy up before. */
async function get(sandbox: Sandbox, path: string, headers: Record<string, string> = {}) {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  http
    .get({ host: '127.0.0.1', port: new URL(sandbox.origin).port, path, headers }, resolve)
    .on('error', reject);
  const response = await promise;
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

const dataOf = (text: string, type: string) =>
  [...text.matchAll(new RegExp(`^event: (?:${type})\ndata: (.*)\n\n`, 'gm'))].map(([, data = '']) =>
    JSON.parse(data),
  );

/** Listens to what the page is told. */
async function listen(t: Test, sandbox: Sandbox) {
  const response = await fetch(`${sandbox.origin}/page/events`);
  const heard = { text: '', events: [] as CometChatEvent[], modes: [] as ModeState[] };
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  t.teardown(() => reader?.cancel());
  void (async () => {
    for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
      heard.text += next.value;
      heard.events = dataOf(heard.text, 'call|reply');
      heard.modes = dataOf(heard.text, 'mode');
    }
  })().catch(() => {});
  return heard;
}

t.test('there is no page, and none of its code, unless it is asked for', async (t) => {
  const sandbox = await startSandbox(t, { apiKey: KEY });
  const isLoaded = () => loaded.some((url) => url.includes('/sandbox/page/'));
  for (const path of ['/', '/page/main.ts', '/page/events']) {
    t.match(await get(sandbox, path), { status: 401, body: /AUTH_ERR_EMPTY_APIKEY/ }, path);
  }
  t.notOk(isLoaded());
  await serve(sandbox);
  t.match(await get(sandbox, '/'), { status: 200, headers: { 'content-type': /^text\/html/ } });
  t.ok(isLoaded());
});

t.test('every module that the page imports is served as JavaScript', async (t) => {
  const sandbox = await startSandbox(t, { apiKey: KEY });
  await serve(sandbox);
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => void warnings.push(warning);
  process.on('warning', onWarning);
  t.teardown(() => process.off('warning', onWarning));
  const { imports } = JSON.parse(/importmap">([^<]+)</.exec((await get(sandbox, '/')).body)?.[1] ?? '');
  const addressOf = (from: string, to: string) => {
    if (to.startsWith('.')) return path.posix.join(path.posix.dirname(from), to);
    return imports[to] ?? to.replace(/^lit-html\//, imports['lit-html/']);
  };
  const seen = new Set(['/page/main.ts']);
  for (const address of seen) {
    const { status, headers, body } = await get(sandbox, address);
    t.match(
      { status, headers },
      { status: 200, headers: { 'content-type': /^text\/javascript/, 'cache-control': 'no-store' } },
      address,
    );
    t.notMatch(body, /^(?:import type|export interface|interface|type) /m, 'no types');
    for (const [, to = ''] of body.matchAll(/\bfrom ?["']([^"']+)["']/g)) seen.add(addressOf(address, to));
  }
  for (const part of ['/page/device.ts', '/page/client/index.ts', '/page/lit-html/directives/repeat.js']) {
    t.ok(seen.has(part), part);
  }
  t.strictSame(warnings, [], 'Node.js warns of nothing');
});

t.test('the page may load and call its own origin, and call the gateway', async (t) => {
  const sandbox = await startSandbox(t, { apiKey: KEY });
  await serve(sandbox);
  const { headers } = await get(sandbox, '/');
  const policy = String(headers['content-security-policy']);
  t.match(policy, /^default-src 'none'; script-src 'self' 'sha256-[\w+/]{43}='; /);
  t.match(policy, `; connect-src 'self' ${GATEWAY}; `);
  t.notMatch(policy, /unsafe|\*/);
});

t.test('no path leaves the folders of the page', async (t) => {
  const sandbox = await startSandbox(t, { apiKey: KEY });
  await serve(sandbox);
  const paths = [
    '/page/../server.ts',
    '/page/%2e%2e/serve.ts',
    '/page/..%2fserve.ts',
    '/page/serve.ts',
    '/page/client/../../package.json',
    '/page/client/..%2f..%2fpackage.json',
    '/page/lit-html/../tap/package.json',
    '/page/lit-html/package.json',
    '/page//etc/passwd',
    '/page/tsconfig.json',
    '/page/constructor',
    '/page/',
  ];
  for (const path of paths) t.match(await get(sandbox, path), { status: /^40[14]$/ }, path);
  t.equal((await fetch(`${sandbox.origin}/page/page.css`, { method: 'POST' })).status, 405);
});

t.test('under another name of the machine the browser is sent to the right one', async (t) => {
  const sandbox = await startSandbox(t, { apiKey: KEY });
  await serve(sandbox);
  const { port } = new URL(sandbox.origin);
  for (const path of ['/', '/page/session?user=cometchat-uid-1']) {
    t.match(await get(sandbox, path, { host: `localhost:${port}` }), {
      status: 307,
      headers: { location: `${sandbox.origin}/` },
      body: '',
    });
  }
});

t.test('the page signs in the users whom it lists, and no others', async (t) => {
  const sandbox = await startSandbox(t, { apiKey: KEY });
  await serve(sandbox);
  const { gateway, users } = JSON.parse((await get(sandbox, '/page/settings')).body);
  t.equal(gateway, GATEWAY);
  t.match(users, [{ uid: 'cometchat-uid-1', name: 'Andrew Joseph' }, {}, {}, {}, { name: 'John Paul' }]);
  t.match(await get(sandbox, '/page/session?user=cometchat-uid-3'), {
    status: 200,
    headers: { 'cache-control': 'no-store' },
    body: '{"token":"token of cometchat-uid-3"}',
  });
  const expired = await get(sandbox, '/page/session?user=cometchat-uid-3&expired=true');
  t.equal(expired.body, '{"token":"token of cometchat-uid-3, expired"}');
  for (const query of ['', '?user=', '?user=friend-01']) {
    t.match(await get(sandbox, `/page/session${query}`), { status: 404 });
  }
});

t.test('the page is told of each call and its reply, and never of a key', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  await serve(sandbox);
  const heard = await listen(t, sandbox);
  await call('PUT', PATH, { tags: ['a'] });
  await call('GET', PATH, undefined, { apikey: 'another-key' });
  sandbox.play('rate-limited-seconds');
  await call('GET', PATH);
  sandbox.play('reset-before-headers');
  await t.rejects(call('GET', PATH));
  await until('the last reply', () => heard.events.length === 8);
  const [put, putReply, wrong, wrongReply, , busyReply, , noReply] = heard.events;
  t.match(put, {
    type: 'call',
    id: 1,
    method: 'PUT',
    path: PATH,
    apikey: '••••••••',
    onBehalfOf: 'cometchat-uid-1',
    body: '{"tags":["a"]}',
  });
  t.match(putReply, { type: 'reply', id: 1, status: 200, body: /"tags":\["a"\]/ });
  t.match(wrong, { type: 'call', id: 2, apikey: '••••••••' });
  t.match(wrongReply, { id: 2, status: 401, body: /The apikey •{8} does not exist/ });
  t.match(busyReply, { id: 3, status: 429, retryAfter: '2' });
  t.strictSame(Object.keys(noReply ?? {}), ['type', 'id', 'at'], 'the connection broke');
  t.notMatch(heard.text, /another-key/);
  t.notMatch(heard.text, new RegExp(`"${KEY}"`));
});

t.test('all pages have one mode of CometChat, and opening a page changes nothing', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  await serve(sandbox);
  const pick = (id: string, method = 'PUT') => fetch(`${sandbox.origin}/page/mode?id=${id}`, { method });
  const settings = async () => JSON.parse((await get(sandbox, '/page/settings')).body);
  const { run } = (await settings()).state;
  const first = await listen(t, sandbox);
  await until('the first event', () => first.modes.length === 1);
  t.strictSame(first.modes, [{ run, change: 0, mode: 'works' }]);

  t.match(await (await pick('wrong')).json(), { run, change: 1, mode: 'wrong' });
  t.strictSame((await settings()).state, { run, change: 1, mode: 'wrong' });
  const second = await listen(t, sandbox);
  await until('both events', () => first.modes.length === 2 && second.modes.length === 1);
  t.strictSame(second.modes, first.modes.slice(1));
  await get(sandbox, '/');
  await t.rejects(call('GET', PATH), SyntaxError, 'the fault is on');

  sandbox.play('status-500', 3);
  await pick('works');
  t.equal((await call('GET', PATH)).status, 200, 'no fault waits');
  t.equal((await fetch(`${sandbox.origin}/page/mode?id=wrong`)).status, 405);
  for (const id of ['', 'broken', 'constructor']) t.equal((await pick(id)).status, 404);
  t.equal((await settings()).state.mode, 'works');
  t.equal(sandbox.calls.length, 2, 'the calls are kept');

  const other = await startSandbox(t, { apiKey: KEY });
  await serve(other);
  t.not(JSON.parse((await get(other, '/page/settings')).body).state.run, run, 'each run has an id');
});

t.test('a page that does not read is not written to for ever', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  await serve(sandbox);
  let isClosed = false;
  sandbox.onConnection((socket) => {
    const isDeaf = socket.remotePort === deaf.localPort;
    socket.once('close', () => {
      isClosed ||= isDeaf;
    });
  });
  const deaf = net.connect(Number(new URL(sandbox.origin).port), '127.0.0.1');
  t.teardown(() => deaf.destroy());
  deaf.pause().write(`GET /page/events HTTP/1.1\r\nHost: ${new URL(sandbox.origin).host}\r\n\r\n`);
  await once(deaf, 'connect');
  const tags = Array.from({ length: 2500 }, (_, index) => `${index}`.padStart(100, 'x'));
  let calls = 0;
  for (; !isClosed && calls < 200; calls += 1) await call('PUT', PATH, { tags });
  t.ok(isClosed, `${calls} calls`);
});

t.test('where a page is served, nobody reads the calls under another name of the machine', async (t) => {
  const sandbox = await startSandbox(t, { apiKey: KEY });
  const headers = { host: 'rebound.example' };
  t.equal((await get(sandbox, '/sandbox/calls', headers)).status, 200);
  await serve(sandbox);
  t.match(await get(sandbox, '/sandbox/calls', headers), { status: 403, body: sandbox.origin });
  t.equal((await get(sandbox, '/sandbox/calls')).status, 200);
});

t.test('an address that is none is answered', async (t) => {
  const sandbox = await startSandbox(t, { apiKey: KEY });
  t.equal((await get(sandbox, '//')).status, 404);
  await serve(sandbox);
  t.equal((await get(sandbox, '//')).status, 404);
});
