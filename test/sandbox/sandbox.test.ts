import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import t from 'tap';
import { Child } from '../helpers/process.ts';
import { KEY, sandboxed } from './sandboxed.ts';

t.test('it refuses as CometChat does, by code', async (t) => {
  const { call } = await sandboxed(t);
  const path = '/v3/users/cometchat-uid-2/conversation';
  const tags = { tags: ['a'] };
  const cases: [Promise<{ status: number; json: unknown }>, number, string][] = [
    [call('PUT', path, tags, { apikey: 'wrong' }), 401, 'AUTH_ERR_APIKEY_NOT_FOUND'],
    [call('PUT', path, tags, { onBehalfOf: 'nobody' }), 404, 'ERR_UID_NOT_FOUND'],
    [call('PUT', path, tags, { onBehalfOf: '' }), 404, 'ERR_UID_NOT_FOUND'],
    [call('PUT', '/v3/users/nobody/conversation', tags), 404, 'ERR_UID_NOT_FOUND'],
    [call('PUT', '/v3/groups/nothing/conversation', tags), 404, 'ERR_GUID_NOT_FOUND'],
    [
      call('PUT', '/v3/groups/project-group/conversation', tags, { onBehalfOf: 'cometchat-uid-5' }),
      403,
      'ERR_NOT_A_MEMBER',
    ],
    [
      call('PUT', '/v3/users/cometchat-uid-4/conversation', tags, { onBehalfOf: 'cometchat-uid-5' }),
      404,
      'ERR_CONVERSATION_NOT_ACCESSIBLE',
    ],
    [call('PUT', '/v2/users/cometchat-uid-2/conversation', tags), 404, 'ERR_API_NOT_FOUND'],
    [call('POST', path, tags), 404, 'ERR_API_NOT_FOUND'],
    [call('PUT', path), 400, 'ERR_BAD_REQUEST'],
    [call('PUT', path, { tags: 'a' }), 400, 'ERR_BAD_REQUEST'],
    [call('PUT', path, { tags: [''] }), 400, 'ERR_BAD_REQUEST'],
    [call('PUT', path, { tags: Array(26).fill('a') }), 400, 'ERR_BAD_REQUEST'],
    [call('PUT', path, { tags: ['x'.repeat(101)] }), 400, 'ERR_BAD_REQUEST'],
  ];
  for (const [reply, status, code] of cases) {
    t.match(await reply, { status, json: { error: { code, message: /\w/ } } }, code);
  }
  const { sandbox } = await sandboxed(t);
  const bare = await fetch(`${sandbox.baseUrl}/users/a/conversation`);
  t.match(await bare.json(), { error: { code: 'AUTH_ERR_EMPTY_APIKEY' } });
});

t.test('it keeps tags by user and conversation, and reads them back', async (t) => {
  const { call } = await sandboxed(t);
  const path = '/v3.0/users/cometchat-uid-2/conversation';
  t.match((await call('PUT', path, { tags: ['a'] })).json, { data: { tags: ['a'] } });
  t.match((await call('GET', path)).json, { data: { conversationType: 'user', tags: ['a'] } });
  const other = { onBehalfOf: 'cometchat-uid-2' };
  t.match((await call('GET', '/v3/users/cometchat-uid-1/conversation', undefined, other)).json, {
    data: { tags: [] },
  });
  t.match((await call('GET', '/v3/groups/cometchat-guid-1/conversation')).json, {
    data: { conversationWith: { guid: 'cometchat-guid-1', membersCount: 5 } },
  });
});

t.test('it counts calls, and refuses those over the minute’s limit', async (t) => {
  const { call } = await sandboxed(t, { callsPerMinute: 1 });
  const path = '/v3/users/cometchat-uid-2/conversation';
  const first = await call('GET', path);
  t.equal(first.headers.get('x-rate-limit'), '1');
  t.equal(first.headers.get('x-rate-limit-remaining'), '0');
  const second = await call('GET', path);
  t.match(second, { status: 429, json: { error: { code: 'ERR_TOO_MANY_REQUESTS' } } });
  t.ok(Number(second.headers.get('retry-after')) > 0);
});

t.test('the limit’s headers have another spelling', async (t) => {
  const { call } = await sandboxed(t, { spelling: 'x-ratelimit' });
  const { headers } = await call('GET', '/v3/users/cometchat-uid-2/conversation');
  t.equal(headers.get('x-ratelimit-limit'), '20000');
  t.equal(headers.get('x-ratelimit-remaining'), '19999');
  t.ok(Number(headers.get('x-ratelimit-reset')) > Date.now() / 1000);
  t.notOk(headers.has('x-rate-limit'));
});

t.test('it has more keys, more users, and a short memory', async (t) => {
  const { sandbox, call } = await sandboxed(t, { otherKeys: ['second'], users: 7, remember: 2 });
  const path = '/v3/users/cometchat-uid-6/conversation';
  for (const from of ['cometchat-uid-4', 'cometchat-uid-5', 'cometchat-uid-7']) {
    t.match(await call('PUT', path, { tags: [] }, { onBehalfOf: from, apikey: 'second' }), {
      status: 200,
      json: { data: { conversationWith: { uid: 'cometchat-uid-6', name: 'User 6' } } },
    });
  }
  t.match(await call('GET', '/v3/users/cometchat-uid-8/conversation'), { status: 404 });
  t.equal(sandbox.received, 4);
  t.match(sandbox.calls, [{ headers: { onbehalfof: 'cometchat-uid-7' } }, { method: 'GET' }]);
});

t.test('it tells of every write', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  const writes: unknown[] = [];
  sandbox.world.onWrite = (write) => writes.push(write);
  await call('PUT', '/v3/users/cometchat-uid-2/conversation', { tags: ['a'] });
  await call('PUT', '/v3/users/nobody/conversation', { tags: ['b'] });
  await call('PUT', '/v3/groups/project-group/conversation', { tags: [] });
  t.same(writes, [
    { onBehalfOf: 'cometchat-uid-1', type: 'users', id: 'cometchat-uid-2', tags: ['a'] },
    { onBehalfOf: 'cometchat-uid-1', type: 'groups', id: 'project-group', tags: [] },
  ]);
});

t.test('npm run sandbox can be asked what it saw, and told to misbehave', async (t) => {
  const known = tls.getCACertificates();
  t.teardown(() => tls.setDefaultCACertificates(known));
  const wrong = new Child(t, ['sandbox/main.ts'], { SANDBOX_TLS: 'self-made' });
  const env = { SANDBOX_PORT: '0', SANDBOX_TLS: 'good', COMETCHAT_API_KEY_SECONDARY: KEY };
  const child = new Child(t, ['sandbox/main.ts'], env);
  const [, origin = ''] = await child.says(/answers at (https:\/\/[\d.:]+)\/v3/);
  const [, file = ''] = await child.says(/NODE_EXTRA_CA_CERTS=(\S+)/);
  tls.setDefaultCACertificates([readFileSync(file, 'utf8')]);

  const control = async (method: string, path: string, body?: string) => {
    const response = await fetch(`${origin}/sandbox${path}`, { method, ...(body && { body }) });
    return { status: response.status, json: await response.json() };
  };
  t.match(await control('PUT', '/faults', '[{"status":503,"times":2}]'), {
    status: 200,
    json: { faults: 2 },
  });
  for (const body of ['[{"status":"no"}]', '{}', 'no', '[{"unknown":1}]']) {
    t.match(await control('PUT', '/faults', body), { status: 400, json: { errors: [{ message: /\w/ }] } });
  }
  const call = () => fetch(`${origin}/v3/users/cometchat-uid-2/conversation`, { headers: { apikey: KEY } });
  t.equal((await call()).status, 503);
  t.match(await control('GET', '/calls'), { json: [{ method: 'GET', path: /cometchat-uid-2/ }] });
  t.match(await control('DELETE', ''), { status: 200 });
  t.match(await control('GET', '/calls'), { json: [] });
  t.equal((await call()).status, 400, 'the second 503 is forgotten, and the second key is good');
  t.match(await control('GET', '/else'), { status: 404 });

  child.process.kill('SIGTERM');
  t.equal(await child.exit(), 0);
  t.throws(() => readFileSync(file), { code: 'ENOENT' });
  t.equal(await wrong.exit(), 1);
  t.match(wrong.stderr, /SANDBOX_TLS must be good, expired or wrong-host/);
});
