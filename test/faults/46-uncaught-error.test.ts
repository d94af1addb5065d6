import { once } from 'node:events';
import http from 'node:http';
import t, { type Test } from 'tap';
import { Child, startGateway } from '../child.ts';
import { API_KEY, environment, holdsNoSecret, type LogLine, sign } from '../helper.ts';
import { listening } from '../ports.ts';

const NODE = ['--import=./test/fixtures/defect.ts'];
/** An error is not waited for as load balancers are: what is broken had better not serve on. */
const LONG_DRAIN = { SHUTDOWN_DRAIN_MS: '60000', SHUTDOWN_DEADLINE_MS: '120000' };
const SOON_MS = 3000;

/** The defect of this kind, with an error that quotes what nobody may read. */
const defect = async (kind: 'exception' | 'rejection') => ({
  DEFECT: kind,
  MESSAGE: `${API_KEY} ${await sign()}`,
});

/** All that was logged, of which the last line has to be as whole as the first; and no more was said. */
function lines(t: Test, { stdout, stderr }: Child): LogLine[] {
  t.equal(stderr, '');
  t.match(stdout, /\n$/, 'the last line is whole');
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** Checks that the log has the error, once, with all that leads to its place and no secret. */
function isLogged(t: Test, child: Child): void {
  const fatal = lines(t, child).filter(({ level }) => level === 'fatal');
  const message = '[redacted] [redacted]';
  const stack = /^\w+Error: \[redacted\].*\n +at .*\/defect\.ts:\d+:\d+\)\n/;
  t.match(fatal, [
    {
      msg: 'ending after an error that nobody caught',
      err: { type: 'TypeError', message, stack, cause: { type: 'RangeError', message, stack } },
    },
  ]);
  t.equal(fatal.length, 1);
  t.notMatch(child.stdout, /"headers"/, 'and nothing else that it holds');
  holdsNoSecret(t, child.stdout + child.stderr);
}

for (const kind of ['exception', 'rejection'] as const) {
  t.test(`an uncaught ${kind} ends the process with 1, after the calls in flight`, async (t) => {
    const env = { ...LONG_DRAIN, ...(await defect(kind)) };
    const { child, sandbox, call } = await startGateway(t, env, { node: NODE });
    // The one that has two of them to answer leaves a connection idle.
    await Promise.all([call({ tags: ['b'] }), call({ tags: ['b'] })]);
    sandbox.fault({ delayMs: 200 });
    const arrived = sandbox.nextCall();
    const inFlight = call();
    await arrived;
    child.process.kill('SIGWINCH');
    const failed = performance.now();
    const answer = await inFlight;
    t.equal(answer.status, 200);
    t.equal(answer.headers.get('connection'), 'close');
    t.equal(await child.exit(), 1);
    t.ok(performance.now() - failed < SOON_MS, 'promptly');
    isLogged(t, child);
    t.match(
      lines(t, child).slice(-2),
      [{ level: 'fatal' }, { msg: 'request', status: 200 }],
      'in this order',
    );
  });
}

t.test('nothing is a defect too, where it is what was thrown', async (t) => {
  for (const kind of ['exception', 'rejection']) {
    const { child } = await startGateway(t, { DEFECT: kind }, { node: NODE });
    child.process.kill('SIGWINCH');
    t.equal(await child.exit(), 1);
    t.match(lines(t, child).at(-1), { level: 'fatal', msg: 'ending after an error that nobody caught' });
  }
});

t.test('an error on the way out is logged as well', async (t) => {
  const { child } = await startGateway(t, { ...LONG_DRAIN, ...(await defect('exception')) }, { node: NODE });
  child.process.kill('SIGTERM');
  await child.says(/shutting down/);
  child.process.kill('SIGWINCH');
  t.equal(await child.exit(), 1);
  t.match(lines(t, child).at(-1), { level: 'fatal', err: { type: 'TypeError' } });
});

t.test('a call that hangs does not keep a process that has failed', async (t) => {
  const env = { SHUTDOWN_DEADLINE_MS: '300', ...(await defect('exception')) };
  const { child, sandbox, call } = await startGateway(t, env, { node: NODE });
  sandbox.fault({ delayMs: 60_000 });
  const arrived = sandbox.nextCall();
  const inFlight = call();
  await arrived;
  child.process.kill('SIGWINCH');
  await t.rejects(inFlight);
  t.equal(await child.exit(), 1);
  isLogged(t, child);
  t.match(lines(t, child).at(-1), { level: 'error', calls: 1, msg: /^the shutdown took too long/ });
});

t.test('a second error ends it at once', async (t) => {
  const { child, sandbox, call } = await startGateway(t, await defect('exception'), { node: NODE });
  sandbox.fault({ delayMs: 60_000 });
  const arrived = sandbox.nextCall();
  const inFlight = call();
  await arrived;
  child.process.kill('SIGWINCH');
  await child.says(/"level":"fatal"/);
  child.process.kill('SIGWINCH');
  const failed = performance.now();
  await t.rejects(inFlight);
  t.equal(await child.exit(), 1);
  t.ok(performance.now() - failed < SOON_MS, 'not when the call has ended');
  t.match(
    lines(t, child).filter(({ level }) => level === 'fatal'),
    [{}, { err: { type: 'TypeError' } }],
  );
});

t.test('an error during the start ends it, before it serves anybody', async (t) => {
  const provider = http.createServer();
  const url = `http://127.0.0.1:${await listening(t, provider)}/jwks.json`;
  const { SESSION_SECRET: _, ...env } = environment('https://chat.example');
  const child = new Child(t, [...NODE, 'src/main.ts'], {
    ...env,
    ...(await defect('exception')),
    SESSION_JWKS_URL: url,
  });
  // It asks for the keys before it listens, and waits for them.
  await once(provider, 'request');
  child.process.kill('SIGWINCH');
  t.equal(await child.exit(), 1);
  isLogged(t, child);
  t.equal(lines(t, child).length, 1, 'which is all that it ever says');
});
