import t from 'tap';
import type { Name } from '../../sandbox/catalogue.ts';
import { upstream } from './upstream.ts';

const QUICK = { COMETCHAT_ATTEMPT_TIMEOUT_MS: '150', COMETCHAT_DEADLINE_MS: '1000' };

/** What happens to a call once, and what that is called in the log. */
const ONCE: readonly [Name, errorType: string][] = [
  ['06-reset-before-headers', 'ECONNRESET'],
  ['08-reset-in-body', 'ERR_HTTP_CONTENT_LENGTH_MISMATCH'],
  ['09-silence', 'timeout_response'],
  ['10-first-byte-late', 'timeout_response'],
  ['11-body-drips', 'timeout_request'],
  ['12-body-cut-short', 'ERR_HTTP_CONTENT_LENGTH_MISMATCH'],
];

t.test(
  '6, 8 to 12: a connection that breaks, falls silent or drips: the next attempt succeeds',
  async (t) => {
    for (const [name, errorType] of ONCE) {
      const { meets, sandbox } = await upstream(t, QUICK);
      const slow = errorType.startsWith('timeout');
      const problem = slow ? 'cometchat-timeout' : 'cometchat-failed';
      sandbox.play(name);
      t.comment(name);
      await meets(t, {
        answer: 200,
        calls: 2,
        line: { level: 'info', status: 200, retried: [slow ? /^timeout_/ : errorType] },
        moved: { [`attempts ${problem}`]: 1, 'attempts ok': 1, retries: 1 },
      });
    }
  },
);

t.test('the same for ever: three attempts, and the problem says what is known', async (t) => {
  for (const [name, errorType] of ONCE) {
    const { meets, sandbox } = await upstream(t, QUICK);
    const slow = errorType.startsWith('timeout');
    const problem = slow ? 'cometchat-timeout' : 'cometchat-failed';
    sandbox.play(name, 3);
    t.comment(name);
    await meets(t, {
      answer: [slow ? 504 : 502, problem],
      calls: 3,
      // Which of the timers of the last attempt goes off first is a matter of milliseconds.
      line: { level: 'warn', problem, error: { type: slow ? /^timeout_/ : errorType }, retried: [/./, /./] },
      moved: { [`problems ${problem}`]: 1, [`attempts ${problem}`]: 3, retries: 2 },
    });
  }
});

t.test('7: a connection that was idle is reset as it is used again: exactly one more attempt', async (t) => {
  const { meets, sandbox, setTags } = await upstream(t);
  const sockets: unknown[] = [];
  sandbox.onConnection((socket) => sockets.push(socket));
  await setTags();
  sandbox.play('07-reset-on-arrival');
  await meets(t, {
    answer: 200,
    calls: 2,
    line: { level: 'info', retried: ['ECONNRESET'] },
    moved: { 'attempts cometchat-failed': 1, 'attempts ok': 1, retries: 1 },
  });
  t.equal(sockets.length, 2, 'the reset one was reused, the second attempt had a new one');
});

t.test('9: no attempt uses a connection on which another is waiting in vain', async (t) => {
  const { sandbox, setTags } = await upstream(t, QUICK);
  await setTags();
  const closed: Promise<unknown>[] = [];
  let opened = 0;
  sandbox.onConnection((socket) => {
    opened += 1;
    closed.push(new Promise((resolve) => socket.once('close', resolve)));
  });
  sandbox.play('09-silence', 2);
  t.equal((await setTags()).status, 200);
  t.equal(opened, 2);
  await closed[0];
  t.pass('and what was waiting is closed');
});
