import t from 'tap';
import { sandboxed } from './sandboxed.ts';

const PATH = '/v3/users/cometchat-uid-2/conversation';
const TAGS = { tags: ['a'] };

t.test('a call takes the first fault that is for its method, and the others wait on', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  sandbox.play('status-502', 2, 'GET');
  sandbox.play('status-503', 1, 'PUT');
  t.equal(sandbox.fault({ status: 504, body: {} }, { status: 500, body: {}, method: 'GET' }), 5);
  for (const status of [503, 504, 200]) t.equal((await call('PUT', PATH, TAGS)).status, status);
  for (const status of [502, 502, 500, 200]) t.equal((await call('GET', PATH)).status, status);
});

t.test('lists are reads, too', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  sandbox.play('status-503', 1, 'GET');
  t.equal((await call('PUT', PATH, TAGS)).status, 200);
  t.equal((await call('GET', '/v3/conversations')).status, 503);
  t.equal((await call('GET', '/v3/conversations')).status, 200);
});

t.test('the control calls know the method', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  const put = (path: string, body?: string) =>
    fetch(`${sandbox.origin}/sandbox/faults${path}`, { method: 'PUT', ...(body && { body }) });
  await put('/status-502?times=2&method=GET');
  await put('', '[{"status": 503, "body": {}, "method": "PUT"}]');
  t.equal((await put('', '[{"status": 503, "method": "POST"}]')).status, 400);
  for (const status of [503, 200]) t.equal((await call('PUT', PATH, TAGS)).status, status);
  for (const status of [502, 502, 200]) t.equal((await call('GET', PATH)).status, status);
});

t.test('while a fault waits for the other method, chaos has its share', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  sandbox.play('status-503', 1, 'PUT');
  sandbox.chaos(1, ['status-504'], () => 0);
  t.equal((await call('GET', PATH)).status, 504);
  t.equal((await call('PUT', PATH, TAGS)).status, 503);
  t.equal((await call('PUT', PATH, TAGS)).status, 504);
});

t.test('only the next call with the method is held', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  const release = sandbox.hold('GET');
  t.equal((await call('PUT', PATH, TAGS)).status, 200);
  const arrived = sandbox.nextCall();
  let isAnswered = false;
  const held = call('GET', PATH).then(() => {
    isAnswered = true;
  });
  await arrived;
  t.equal((await call('GET', PATH)).status, 200);
  t.notOk(isAnswered);
  release();
  await held;
});

t.test('a read changes nothing, whatever it meets', async (t) => {
  const { sandbox, call } = await sandboxed(t);
  const writes: unknown[] = [];
  sandbox.world.onWrite = (write) => writes.push(write);
  sandbox.play('applied-but-lost', 1, 'GET');
  await t.rejects(call('GET', PATH));
  t.same(writes, []);
});
