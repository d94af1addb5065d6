import t from 'tap';
import { MACHINE_CLOCK } from '../../src/base/clock.ts';
import { isProblem } from '../helpers/answers.ts';
import { startGateway } from '../helpers/gateway.ts';
import { issuer } from '../helpers/issuer.ts';

t.test('a replica that runs is alive and ready', async (t) => {
  const { get } = await startGateway(t);
  t.strictSame((await get('/livez')).json, { status: 'ok' });
  const ready = await get('/readyz');
  t.equal(ready.status, 200);
  t.strictSame(ready.json, { status: 'ok', cometchat: 'ok' });
});

t.test('a replica that drains is alive, and not ready', async (t) => {
  const { app, counts, get, requests } = await startGateway(t);
  const drained = app.shutdown.drain(0);
  const answer = await get('/readyz');
  isProblem(t, answer, 503, 'gateway-draining');
  t.equal(answer.headers.get('connection'), 'close');
  t.equal((await get('/livez')).status, 200);
  t.strictSame(
    requests().filter(({ route }) => route),
    [],
    'which is no news, however often it is asked',
  );
  t.equal((await counts())['problems gateway-draining'], 0, 'and nobody’s problem');
  await drained;
});

t.test('a CometChat that fails is reported, and keeps no replica from being ready', async (t) => {
  const time = { now: 0 };
  const clock = { ...MACHINE_CLOCK, now: () => time.now };
  const { get, putAs, sandbox } = await startGateway(t, {}, { seams: { clock } });
  sandbox.fault({ status: 500, times: 100 });
  for (const ms of [500, 0]) {
    for (let n = 1; n <= 5; n += 1) await putAs(`cometchat-uid-${n}`);
    time.now += ms;
  }
  const ready = await get('/readyz');
  t.equal(ready.status, 200);
  t.strictSame(ready.json, { status: 'ok', cometchat: 'failing' });
});

t.test('a quota of our own that is used up is reported, and the replica stays ready', async (t) => {
  const options = { seams: { now: () => 59_000 } };
  const { get, put } = await startGateway(t, { COMETCHAT_CALLS_PER_MINUTE: '1' }, options);
  await put({ tags: [], conversationWith: 'cometchat-uid-3' });
  t.strictSame((await get('/readyz')).json, { status: 'ok', cometchat: 'busy' });
});

t.test('a quota that CometChat says is used up is reported, and the replica stays ready', async (t) => {
  const { get, put, sandbox } = await startGateway(t, { COMETCHAT_DEADLINE_MS: '500' });
  sandbox.play('rate-limited-seconds');
  t.equal((await put({ tags: [] })).status, 503);
  t.strictSame((await get('/readyz')).json, { status: 'ok', cometchat: 'busy' });
});

t.test('a replica that has no key to verify a session with is not ready', async (t) => {
  const provider = await issuer(t);
  provider.reply = { status: 500 };
  const { get } = await startGateway(t, provider.env);
  isProblem(t, await get('/readyz'), 503, 'session-store-unavailable');
  const other = await issuer(t);
  const good = await startGateway(t, other.env);
  t.equal((await good.get('/readyz')).status, 200);
});
