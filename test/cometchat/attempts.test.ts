import t from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import { startGateway } from '../helpers/gateway.ts';
import { ME, OTHER } from '../helpers/tokens.ts';

const FAILED = [502, 'cometchat-failed'] as const;

t.test('a failure of CometChat’s that comes once is not seen', async (t) => {
  const { meets, sandbox } = await startGateway(t);
  for (const name of [
    'status-500',
    'status-502',
    'status-503',
    'status-504',
    'transient-code',
  ] satisfies Name[]) {
    t.comment(name);
    sandbox.play(name);
    await meets(t, {
      answer: 200,
      calls: 2,
      line: { level: 'info', status: 200, retried: [/^ERR_/] },
      moved: { 'attempts cometchat-failed': 1, 'attempts ok': 1, retries: 1 },
    });
  }
});

t.test('one that stays is told after three attempts', async (t) => {
  const { meets, sandbox } = await startGateway(t);
  for (const status of [502, 503, 504]) {
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

t.test('a bare 500 is told after one attempt, since another would only meet the same defect', async (t) => {
  const { meets, sandbox } = await startGateway(t);
  sandbox.fault({ status: 500 });
  await meets(t, {
    answer: FAILED,
    calls: 1,
    line: { level: 'warn', error: { type: '500' }, retried: undefined },
    moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1 },
  });
});

t.test('what CometChat does not know is told after one attempt, each by a code of its own', async (t) => {
  const cases = [
    ['unknown-uid', 'user-not-found', 'ERR_UID_NOT_FOUND'],
    ['unknown-guid', 'group-not-found', 'ERR_GUID_NOT_FOUND'],
    ['unknown-conversation', 'conversation-not-found', 'ERR_CONVERSATION_NOT_ACCESSIBLE'],
  ] as const;
  const { meets, sandbox } = await startGateway(t);
  for (const [name, code, errorType] of cases) {
    sandbox.play(name);
    await meets(t, {
      answer: [404, code],
      calls: 1,
      line: { level: 'info', cometchat: { code: errorType }, error: { type: errorType } },
      moved: { [`problems ${code}`]: 1, [`attempts ${code}`]: 1 },
    });
  }
});

t.test('a write that was applied and whose reply got lost is sent again, to one effect', async (t) => {
  const { meets, sandbox } = await startGateway(t);
  const written: (readonly string[])[] = [];
  sandbox.world.onWrite = ({ tags }) => void written.push(tags);
  sandbox.play('applied-but-lost');
  await meets(t, {
    answer: 200,
    calls: 2,
    line: { level: 'info', retried: ['ECONNRESET'] },
    moved: { 'attempts cometchat-failed': 1, 'attempts ok': 1, retries: 1 },
  });
  t.strictSame(written, [['vip'], ['vip']]);
  t.strictSame(sandbox.world.tags(ME, 'users', OTHER), ['vip']);
});

t.test('when the retry budget is used up, a failure is told after one attempt', async (t) => {
  const { meets, sandbox, setTags } = await startGateway(t);
  sandbox.fault({ status: 503, times: 16 });
  for (let n = 0; n < 5; n += 1) await setTags();
  t.equal(sandbox.received, 15, 'five calls and ten retries');
  await meets(t, {
    answer: FAILED,
    calls: 1,
    line: { error: { type: '503' }, retried: undefined },
    moved: { 'problems cometchat-failed': 1, 'attempts cometchat-failed': 1, retries_withheld: 1 },
  });
});
