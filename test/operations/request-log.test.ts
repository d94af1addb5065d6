import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { callBytes } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { API_KEY, holdsNoSecret } from '../helpers/secrets.ts';
import { ME, OTHER, sign } from '../helpers/tokens.ts';

t.test('one line a request tells who, where, what and how long', async (t) => {
  const { put, requests } = await startGateway(t);
  const answer = await put({ tags: ['a'], conversationWith: OTHER });
  const [line, ...others] = requests();
  t.strictSame(others, []);
  t.match(line, {
    level: 'info',
    requestId: answer.headers.get('x-request-id'),
    method: 'PUT',
    route: '/me/conversations/tags',
    status: 200,
    ms: Number,
    onBehalfOf: ME,
    cometchat: { status: 200 },
  });
});

t.test('a request that fails early has its line too', async (t) => {
  const { put, get, requests } = await startGateway(t);
  await put({ tags: [] }, { authorization: '' });
  await get('/secret-place?token=pasted-token');
  t.match(requests(), [
    { status: 401, problem: 'session-missing', error: { type: 'session-missing' } },
    { status: 404, problem: 'route-not-found', error: { type: 'route-not-found' } },
  ]);
  t.notMatch(JSON.stringify(requests()), /pasted-token|secret-place/);
});

t.test('a request whose client does not wait for the answer has its line, and only one', async (t) => {
  const { app, port, sandbox, requests } = await startGateway(t);
  sandbox.fault({ delayMs: 60_000 });
  const arrived = sandbox.nextCall();
  const opened = once(app.server, 'connection');
  const socket = net.connect(port, '127.0.0.1');
  socket.write(callBytes(`Authorization: Bearer ${await sign()}`, 'Content-Type: application/json'));
  await arrived;
  const [connection] = await opened;
  socket.destroy();
  await once(connection, 'close');
  // What CometChat's end then brings about has nobody to be told to.
  await sandbox.close();
  await app.close();
  t.match(requests(), [{ route: '/me/conversations/tags', aborted: true, onBehalfOf: ME }]);
  t.equal(requests().length, 1);
});

t.test('every request has an id of its own, whatever the client sends', async (t) => {
  const { put } = await startGateway(t);
  const ids = new Set<string | null>();
  for (let n = 0; n < 3; n += 1) {
    const answer = await put({ tags: [] }, { 'x-request-id': 'mine', 'request-id': 'mine' });
    ids.add(answer.headers.get('x-request-id'));
  }
  t.equal(ids.size, 3);
  for (const id of ids) t.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  t.notOk(ids.has('mine'));
});

t.test('no secret, token or tag stands in a line, whatever happens', async (t) => {
  const { put, lines, sandbox } = await startGateway(t, { LOG_LEVEL: 'trace' });
  const token = await sign();
  sandbox.fault(
    { status: 401, body: { error: { code: 'AUTH_ERR_APIKEY_NOT_FOUND', message: `no ${API_KEY}` } } },
    { reset: 'before-headers' },
    { status: 200, body: 'no json' },
  );
  for (let n = 0; n < 4; n += 1) await put({ tags: ['my-tag'] }, { authorization: `Bearer ${token}` });
  await put(`{"token":"${token}"`, { authorization: `Bearer ${token}`, cookie: 'session=my-cookie' });
  t.equal(lines.length > 4, true);
  holdsNoSecret(t, lines.join());
  t.notMatch(lines.join(), new RegExp(`${token}|my-tag|my-cookie`));
});

t.test('probes are logged for those who look closely', async (t) => {
  const quiet = await startGateway(t, { LOG_LEVEL: 'info' });
  await quiet.get('/livez');
  t.notMatch(quiet.lines.join(), '/livez');
  const verbose = await startGateway(t, { LOG_LEVEL: 'debug' });
  await verbose.get('/livez');
  t.match(JSON.parse(verbose.lines.at(-1) ?? ''), { level: 'debug', route: '/livez', status: 200 });
});
