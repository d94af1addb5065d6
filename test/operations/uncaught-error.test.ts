import t, { type Test } from 'tap';
import type { LogLine } from '../helpers/meets.ts';
import { type Child, startProcess } from '../helpers/process.ts';
import { API_KEY } from '../helpers/secrets.ts';
import { sign } from '../helpers/tokens.ts';

// Each waits for a process of its own.
t.jobs = 2;
const parallel = { buffered: true };

/** Load balancers would be waited for longer than a test may take: what is broken had better not serve on. */
const LONG_DRAIN = { SHUTDOWN_DRAIN_MS: '500000', SHUTDOWN_DEADLINE_MS: '600000' };
const LONG_CALLS = { COMETCHAT_DEADLINE_MS: '60000', COMETCHAT_ATTEMPT_TIMEOUT_MS: '60000' };

/** A gateway with a defect of this kind that SIGWINCH brings about, and a call in flight. */
async function defective(
  t: Test,
  kind: 'exception' | 'rejection',
  env: Record<string, string>,
  { delayMs } = { delayMs: 60_000 },
) {
  const node = ['--import=./test/fixtures/defect.ts'];
  const gateway = await startProcess(t, { ...LONG_CALLS, DEFECT: kind, ...env }, { node });
  const { child, sandbox, call } = gateway;
  // The one that has two of them to answer leaves a connection idle.
  await Promise.all([call({ tags: ['b'] }), call({ tags: ['b'] })]);
  sandbox.fault({ delayMs });
  const arrived = sandbox.nextCall();
  const inFlight = call();
  await arrived;
  return { child, inFlight, fail: () => child.process.kill('SIGWINCH') };
}

/** The error quotes what nobody may read. */
const quoting = async () => ({ MESSAGE: `${API_KEY} ${await sign()}` });

/** All that was logged, of which the last line has to be as whole as the first; and no more was said. */
function lines(t: Test, { stdout, stderr }: Child): LogLine[] {
  t.equal(stderr, '');
  t.match(stdout, /\n$/, 'the last line is whole');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Checks that these errors are in the log, with all that leads to their place and no secret, and no others. */
function areLogged(t: Test, child: Child, ...messages: string[]): void {
  const fatal = lines(t, child).filter(({ level }) => level === 'fatal');
  const message = '[redacted] [redacted]';
  const stack = /^\w+Error: \[redacted\].*\n +at .*\/defect\.ts:\d+:\d+\)\n/;
  const err = { type: 'TypeError', message, stack, cause: { type: 'RangeError', message, stack } };
  t.match(
    fatal,
    messages.map((msg) => ({ msg, err })),
  );
  t.equal(fatal.length, messages.length);
  t.notMatch(child.stdout, /"headers"/, 'and nothing else that they hold');
}

const FIRST = 'ending after an error that nobody caught';
const LATER = 'ending at once after an error on the way out';

t.test(
  'an uncaught exception, be it undefined, ends the process with 1 after its calls',
  parallel,
  async (t) => {
    const { child, inFlight, fail } = await defective(t, 'exception', LONG_DRAIN, { delayMs: 1000 });
    fail();
    const answer = await inFlight;
    t.equal(answer.status, 200);
    t.equal(answer.headers.get('connection'), 'close');
    t.equal(await child.exit(), 1);
    const last = [
      { level: 'fatal', msg: FIRST },
      { msg: 'request', status: 200 },
    ];
    t.match(lines(t, child).slice(-2), last, 'in this order');
  },
);

t.test('an uncaught rejection ends it with 1 too, and a call that hangs is cut off', parallel, async (t) => {
  const env = { SHUTDOWN_DEADLINE_MS: '300', ...(await quoting()) };
  const { child, inFlight, fail } = await defective(t, 'rejection', env);
  fail();
  await t.rejects(inFlight);
  t.equal(await child.exit(), 1);
  areLogged(t, child, FIRST);
  t.match(lines(t, child).at(-1), { level: 'error', calls: 1, msg: /^the shutdown took too long/ });
});

t.test('a second error ends it at once, while a call hangs', parallel, async (t) => {
  const { child, inFlight, fail } = await defective(t, 'exception', await quoting());
  fail();
  await child.says(/"level":"fatal"/);
  fail();
  await t.rejects(inFlight);
  t.equal(await child.exit(), 1);
  areLogged(t, child, FIRST, LATER);
  t.notMatch(child.stdout, 'the shutdown took too long');
});

t.test('an error after a signal ends it at once too, and with 1', parallel, async (t) => {
  const { child, inFlight, fail } = await defective(t, 'exception', { ...LONG_DRAIN, ...(await quoting()) });
  child.process.kill('SIGTERM');
  await child.says(/shutting down/);
  fail();
  await t.rejects(inFlight);
  t.equal(await child.exit(), 1);
  areLogged(t, child, LATER);
});
