import t from 'tap';
import type { Fault } from '../../sandbox/faults.ts';
import { MACHINE_CLOCK } from '../../src/base/clock.ts';
import { ApiKeys, withApiKey } from '../../src/cometchat/api-keys.ts';
import { type Call, Waiters } from '../../src/cometchat/call.ts';
import { failedReply } from '../../src/cometchat/errors.ts';
import { startGateway } from '../helpers/gateway.ts';
import { services } from '../helpers/room.ts';
import { API_KEY, planted } from '../helpers/secrets.ts';

t.test('the only key has nothing in its place', async (t) => {
  const keys = new ApiKeys(['a']);
  t.strictSame(keys.current, { name: 'primary', value: 'a' });
  t.strictSame(keys.refuse(keys.current, 0), { other: undefined, isNews: true });
  t.equal(keys.current.value, 'a', 'and is tried again with the next call');
});

t.test('the second key takes over from one that was refused, and stays', async (t) => {
  const keys = new ApiKeys(['a', 'b']);
  const first = keys.current;
  t.match(keys.refuse(first, 0), { other: { name: 'secondary' }, isNews: true });
  t.equal(keys.current.value, 'b');
  t.match(keys.refuse(first, 5), { other: { value: 'b' }, isNews: false }, 'a late refusal changes nothing');
  t.equal(keys.current.value, 'b');
});

t.test(
  'with both refused a call has one exchange, and the next call begins with the other key',
  async (t) => {
    const keys = new ApiKeys(['a', 'b']);
    const first = keys.current;
    const second = keys.refuse(first, 0).other;
    if (!second) return t.fail('there is a second key');
    t.strictSame(keys.refuse(second, 1), { other: undefined, isNews: true });
    t.equal(keys.current, first);
    t.strictSame(keys.refuse(first, 2), { other: undefined, isNews: false });
    t.equal(keys.current, second);
    t.equal(keys.refuse(second, 1002).other?.value, 'a', 'a second later both are tried again');
  },
);

t.test('the operator hears of a key once a minute', async (t) => {
  const keys = new ApiKeys(['a']);
  const news = [0, 1000, 59_999, 60_000, 60_001].map((now) => keys.refuse(keys.current, now).isNews);
  t.strictSame(news, [true, false, false, true, false]);
});

t.test(
  'a key that has been replaced while it was under way gives way to the new one, and is no news',
  async (t) => {
    const replaced = new ApiKeys(['a']).current;
    const keys = new ApiKeys(['b', 'c']);
    t.strictSame(keys.refuse(replaced, 0), { other: keys.current, isNews: false });
    t.equal(keys.current.value, 'b', 'which nobody has refused');
  },
);

t.test('the first key is asked for again after five minutes, and no sooner', async (t) => {
  const keys = new ApiKeys(['a', 'b']);
  t.equal(keys.begin(0).value, 'a');
  keys.refuse(keys.current, 0);
  t.equal(keys.begin(299_999).value, 'b');
  t.equal(keys.begin(300_000).value, 'a');
  keys.refuse(keys.current, 300_001);
  t.equal(keys.begin(300_002).value, 'b');
});

t.test('the exchanges with both keys have the time of one attempt', async (t) => {
  let now = 0;
  const clock = { ...MACHINE_CLOCK, now: () => now };
  const ends: number[] = [];
  const send = withApiKey(
    (async ({ endsAt }: { endsAt: number }) => {
      ends.push(endsAt);
      now += 800;
      return failedReply(401, undefined);
    }) as never,
    { current: ['a', 'b'] },
    1000,
    services(undefined, { clock }),
  );
  const waiters = new Waiters(clock);
  const gone = new AbortController().signal;
  const call = { waiters } as Call<unknown>;
  await waiters.join(() => send(call), { gone, deadline: 3000 });
  t.strictSame(ends, [1000, 1000], 'for longer no other replica would wait');
});

const OTHER_KEY = `other-${API_KEY}`;
planted.add(OTHER_KEY);
/** Which key the next calls begin with. */
const TO_SECONDARY = { 'api_key_in_use primary': -1, 'api_key_in_use secondary': 1 };
const TO_PRIMARY = { 'api_key_in_use primary': 1, 'api_key_in_use secondary': -1 };

t.test(
  'however CometChat refuses the first key, the second serves that very call, and the next ones',
  async (t) => {
    const refusals: Fault[] = [
      // The sandbox refuses it by itself.
      {},
      { status: 401, body: { error: { code: 'AUTH_ERR_EMPTY_APIKEY' } } },
      { status: 403, body: { error: { code: 'AUTH_ERR_NO_ACCESS' } } },
      { status: 401 },
    ];
    for (const refusal of refusals) {
      const keys = { COMETCHAT_API_KEY: OTHER_KEY, COMETCHAT_API_KEY_SECONDARY: API_KEY };
      const { meets, served, lines, sandbox } = await startGateway(t, keys);
      sandbox.fault(refusal);
      t.comment(JSON.stringify(refusal));
      await meets(t, {
        answer: 200,
        calls: 2,
        line: { level: 'info', status: 200 },
        moved: { 'api_key_refusals primary': 1, ...TO_SECONDARY, 'attempts ok': 1 },
      });
      await served(t);
      const sent = sandbox.calls.map(({ headers }) => headers.apikey);
      t.strictSame(sent, [OTHER_KEY, API_KEY, API_KEY]);
      const alarms = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
      t.match(alarms, [{ msg: 'CometChat refuses an API key', key: 'primary', instead: 'secondary' }]);
      t.equal(alarms.length, 1);
    }
  },
);

const MISCONFIGURED = {
  answer: [502, 'gateway-misconfigured'] as const,
  line: {
    level: 'error',
    problem: 'gateway-misconfigured',
    error: { type: 'AUTH_ERR_APIKEY_NOT_FOUND' },
  },
};
const COUNTED = { 'problems gateway-misconfigured': 1, 'attempts gateway-misconfigured': 1 };

t.test('with no key left it is the operator’s alarm, never the user’s fault', async (t) => {
  const single = await startGateway(t, { COMETCHAT_API_KEY: OTHER_KEY });
  await single.meets(t, { ...MISCONFIGURED, calls: 1, moved: { ...COUNTED, 'api_key_refusals primary': 1 } });

  const keys = { COMETCHAT_API_KEY_SECONDARY: OTHER_KEY };
  const { meets, served, sandbox } = await startGateway(t, keys, { sandbox: { otherKeys: [OTHER_KEY] } });
  sandbox.play('key-refused', 4);
  await meets(t, {
    ...MISCONFIGURED,
    calls: 2,
    moved: { ...COUNTED, 'api_key_refusals primary': 1, 'api_key_refusals secondary': 1 },
  });
  await meets(t, {
    ...MISCONFIGURED,
    calls: 1,
    moved: { ...COUNTED, 'api_key_refusals primary': 1, ...TO_SECONDARY },
  });
  await meets(t, {
    ...MISCONFIGURED,
    calls: 1,
    moved: { ...COUNTED, 'api_key_refusals secondary': 1, ...TO_PRIMARY },
  });
  await served(t);
});
