import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import { API_KEY, ME, OTHER, planted } from '../helper.ts';
import { counts, failedAttempt, upstream } from './upstream.ts';

const FAILED = [502, 'cometchat-failed'] as const;

t.test('22: a failure of CometChat’s that comes once is not seen', async (t) => {
  for (const name of ['22-500', '22-502', '22-503', '22-504', '22-transient-code'] satisfies Name[]) {
    const { meets, sandbox } = await upstream(t);
    sandbox.play(name);
    t.comment(name);
    await meets(t, {
      answer: 200,
      calls: 2,
      line: { level: 'info', status: 200, retried: [/^ERR_/] },
      moved: { 'attempts cometchat-failed': 1, 'attempts ok': 1, retries: 1 },
    });
  }
});

t.test('22: one that stays is told after three attempts', async (t) => {
  for (const status of [502, 503, 504]) {
    const { meets, sandbox } = await upstream(t);
    sandbox.fault({ status, times: 3 });
    await meets(t, {
      answer: FAILED,
      calls: 3,
      line: {
        level: 'warn',
        cometchat: { status },
        error: { type: `${status}` },
        retried: [`${status}`, `${status}`],
      },
      moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 3, retries: 2 },
    });
  }
});

t.test('22: a bare 500 is a defect, which another attempt would only meet again', async (t) => {
  const { meets, sandbox } = await upstream(t);
  sandbox.fault({ status: 500 });
  await meets(t, {
    answer: FAILED,
    calls: 1,
    line: { level: 'warn', error: { type: '500' }, retried: undefined },
    moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1 },
  });
});

t.test('22: a Retry-After beyond the deadline is passed on at once', async (t) => {
  const { meets, sandbox } = await upstream(t);
  sandbox.fault({ status: 503, headers: { 'retry-after': '20' } });
  await meets(t, {
    answer: FAILED,
    retryAfter: 20,
    calls: 1,
    line: { error: { type: '503' } },
    moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1 },
  });
});

/** Which key the next calls begin with. */
const toSecondary = { 'api_key_in_use primary': -1, 'api_key_in_use secondary': 1 };
const toPrimary = { 'api_key_in_use primary': 1, 'api_key_in_use secondary': -1 };

t.test('23: the first key is refused: the second one serves that very call, and the next ones', async (t) => {
  const refused = `refused-${API_KEY}`;
  planted.add(refused);
  const keys = { COMETCHAT_API_KEY: refused, COMETCHAT_API_KEY_SECONDARY: API_KEY };
  const { meets, lines, sandbox } = await upstream(t, keys);
  await meets(t, {
    answer: 200,
    calls: 2,
    line: { level: 'info', status: 200 },
    moved: { 'api_key_refusals primary': 1, ...toSecondary, 'attempts ok': 1 },
  });
  t.strictSame(
    sandbox.calls.map(({ headers }) => headers.apikey === refused),
    [true, false],
  );
  const alarms = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
  t.match(alarms, [{ msg: 'CometChat refuses an API key', key: 'primary', instead: 'secondary' }]);
  t.equal(alarms.length, 1);
  await meets(t, { answer: 200, calls: 1, line: {}, moved: { 'attempts ok': 1 } });
});

t.test(
  '23: with no key left it is the operator’s alarm, never the user’s fault, until a key is good again',
  async (t) => {
    const keys = { COMETCHAT_API_KEY_SECONDARY: `other-${API_KEY}` };
    const { meets, sandbox } = await upstream(t, keys, { sandbox: { otherKeys: Object.values(keys) } });
    const misconfigured = {
      answer: [502, 'gateway-misconfigured'] as const,
      line: {
        level: 'error',
        problem: 'gateway-misconfigured',
        error: { type: 'AUTH_ERR_APIKEY_NOT_FOUND' },
      },
    };
    const counted = { 'problems gateway-misconfigured': 1, 'attempts gateway-misconfigured': 1 };
    sandbox.play('23-key-refused', 4);
    await meets(t, {
      ...misconfigured,
      calls: 2,
      moved: { ...counted, 'api_key_refusals primary': 1, 'api_key_refusals secondary': 1 },
    });
    await meets(t, {
      ...misconfigured,
      calls: 1,
      moved: { ...counted, 'api_key_refusals primary': 1, ...toSecondary },
    });
    await meets(t, {
      ...misconfigured,
      calls: 1,
      moved: { ...counted, 'api_key_refusals secondary': 1, ...toPrimary },
    });
    await meets(t, { answer: 200, calls: 1, line: {}, moved: { 'attempts ok': 1 } });
  },
);

t.test('23: the exchanges with both keys have the time of one attempt', async (t) => {
  const other = `other-${API_KEY}`;
  planted.add(other);
  const env = { COMETCHAT_API_KEY_SECONDARY: other, COMETCHAT_ATTEMPT_TIMEOUT_MS: '1000' };
  const { app, sandbox, setTags } = await upstream(t, env, { sandbox: { otherKeys: [other] } });
  sandbox.fault({ delayMs: 800, status: 401 });
  sandbox.play('09-silence');
  const start = performance.now();
  const answer = setTags();
  while (!(await counts(app))['attempts cometchat-timeout']) await wait(5);
  const ms = performance.now() - start;
  t.ok(ms > 900 && ms < 1600, `${ms} ms: for longer no other replica would wait`);
  t.equal((await answer).status, 200);
});

t.test('23: a single key that is refused', async (t) => {
  const { meets } = await upstream(t, {}, { sandbox: { apiKey: 'another-key-than-the-one-of-the-gateway' } });
  await meets(t, {
    answer: [502, 'gateway-misconfigured'],
    calls: 1,
    line: { level: 'error', error: { type: 'AUTH_ERR_APIKEY_NOT_FOUND' } },
    moved: {
      'problems gateway-misconfigured': 1,
      'attempts gateway-misconfigured': 1,
      'api_key_refusals primary': 1,
    },
  });
});

t.test('24: what CometChat does not know is told by its own code, and not asked for again', async (t) => {
  const cases = [
    ['24-uid', 'user-not-found', 'ERR_UID_NOT_FOUND'],
    ['24-guid', 'group-not-found', 'ERR_GUID_NOT_FOUND'],
    ['24-conversation', 'conversation-not-found', 'ERR_CONVERSATION_NOT_ACCESSIBLE'],
  ] as const;
  for (const [name, code, errorType] of cases) {
    const { meets, sandbox } = await upstream(t);
    sandbox.play(name);
    await meets(t, {
      answer: [404, code],
      calls: 1,
      line: { level: 'info', cometchat: { code: errorType }, error: { type: errorType } },
      moved: { [`problems ${code}`]: 1, [`attempts ${code}`]: 1 },
    });
  }
});

t.test('25: a write that was applied and whose reply got lost is sent again, to one effect', async (t) => {
  const { meets, sandbox } = await upstream(t);
  const written: (readonly string[])[] = [];
  sandbox.world.onWrite = ({ tags }) => void written.push(tags);
  sandbox.play('25-applied-but-lost');
  await meets(t, {
    answer: 200,
    calls: 2,
    line: { level: 'info', retried: ['ECONNRESET'] },
    moved: { 'attempts cometchat-failed': 1, 'attempts ok': 1, retries: 1 },
  });
  t.strictSame(written, [['vip'], ['vip']]);
  t.strictSame(sandbox.world.tags(ME, 'users', OTHER), ['vip']);
});

t.test('22: a refusal after a failure does not say that nothing was changed', async (t) => {
  const { app, sandbox, setTags, putAs } = await upstream(
    t,
    { COMETCHAT_DEADLINE_MS: '900' },
    { seams: { random: () => 1 } },
  );
  sandbox.fault({ status: 503 }, { status: 429, headers: { 'retry-after': '30' } });
  const first = setTags();
  await failedAttempt(app);
  t.equal((await putAs('cometchat-uid-1')).json.code, 'cometchat-busy');
  t.equal((await first).json.code, 'cometchat-failed');
  t.equal(sandbox.received, 2);
});

t.test('23: however CometChat says that it is the key, the second one serves', async (t) => {
  const other = `other-${API_KEY}`;
  planted.add(other);
  for (const fault of [
    { status: 401, body: { error: { code: 'AUTH_ERR_EMPTY_APIKEY' } } },
    { status: 403, body: { error: { code: 'AUTH_ERR_NO_ACCESS' } } },
    { status: 401 },
  ]) {
    const keys = { COMETCHAT_API_KEY_SECONDARY: other };
    const { sandbox, setTags } = await upstream(t, keys, { sandbox: { otherKeys: [other] } });
    sandbox.fault(fault);
    t.equal((await setTags()).status, 200);
    t.equal(sandbox.received, 2);
  }
});
