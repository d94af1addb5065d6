import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import t, { type Test } from 'tap';
import { environment, faultsOf } from '../helpers/environment.ts';
import { listening } from '../helpers/ports.ts';
import { Child } from '../helpers/process.ts';
import { API_KEY } from '../helpers/secrets.ts';
import { sign } from '../helpers/tokens.ts';

// Each waits for a process of its own.
t.jobs = 2;
const parallel = { buffered: true };

const good = environment('https://chat.example/v3');

t.test(
  'a bad configuration ends the start with 78, and each fault is a line on stderr',
  parallel,
  async (t) => {
    const pasted = 'pasted-value';
    const env = { PORT: pasted, SESSION_SECRET: pasted, COMETCHAT_API_KEY_FILE: `/${pasted}` };
    const child = new Child(t, ['src/main.ts'], env);
    t.equal(await child.exit(), 78);
    t.equal(child.stdout, '');
    const faults = faultsOf(env);
    t.ok(faults.length > 5);
    const lines = [
      `The configuration has ${faults.length} fault(s):`,
      ...faults.map((fault) => `  ${fault}`),
    ];
    t.equal(child.stderr, `${lines.join('\n')}\n`);
    t.notMatch(child.stderr, pasted);
  },
);

t.test('what is missing may be misspelt: the warnings stand below the faults', parallel, async (t) => {
  const { SESSION_SECRET, ...others } = good;
  const child = new Child(t, ['src/main.ts'], { ...others, SESION_SECRET: `${SESSION_SECRET}` });
  t.equal(await child.exit(), 78);
  t.match(child.stderr.split('\n'), [
    'The configuration has 1 fault(s):',
    /^ {2}SESSION_SECRET: is missing; /,
    'and 1 warning(s):',
    '  SESION_SECRET: is no variable of the gateway; the nearest is SESSION_SECRET',
    '',
  ]);
});

/** What a gateway says of itself: the line when it is ready, and its warnings. */
async function readyWith(t: Test, env: Record<string, string>) {
  const child = new Child(t, ['src/main.ts'], env);
  const [line] = await child.says(/\{.*"msg":"ready"\}/);
  child.process.kill('SIGTERM');
  t.equal(await child.exit(), 0);
  const lines = child.stdout.trim().split('\n');
  const warnings = lines.map((text) => JSON.parse(text)).filter(({ warning }) => warning !== undefined);
  return { ready: JSON.parse(line), warnings };
}

t.test('a gateway that is ready says what it is', parallel, async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  const SESSION_SECRET = `${good.SESSION_SECRET},${'o'.repeat(32)}`;
  const { ready, warnings } = await readyWith(t, { ...good, SESSION_SECRET });
  t.match(ready, { version, session: 'secret', secrets: 2, keys: 1, redis: 'none', proxy: 'none' });
  t.match(ready, { cometchat: 'https://chat.example/v3', metrics: /^http:/ });
  t.strictSame(warnings, []);
});

t.test(
  'so does one with a provider, a Redis and a proxy, and what is hardly meant so',
  parallel,
  async (t) => {
    const { SESSION_SECRET: _, ...others } = good;
    const { ready, warnings } = await readyWith(t, {
      ...others,
      SESSION_JWKS_URL: 'http://127.0.0.1:1/jwks.json',
      REDIS_URL: 'redis://127.0.0.1:1',
      NODE_USE_ENV_PROXY: '1',
      HTTPS_PROXY: `http://me:${API_KEY}@127.0.0.1:1`,
      RATE_LIMIT: '60',
    });
    t.match(ready, { session: 'jwks', redis: 'single', proxy: 'http://127.0.0.1:1' });
    t.notOk('secrets' in ready);
    const msg = 'a variable may not be as it was meant';
    t.match(warnings, [{ level: 'warn', warning: /^RATE_LIMIT: .* RATE_LIMIT_PER_MINUTE$/, msg }]);
    t.equal(warnings.length, 1);
  },
);

t.test('a port that is taken ends the start with 1', parallel, async (t) => {
  const port = await listening(t, net.createServer());
  const child = new Child(t, ['src/main.ts'], { ...good, PORT: String(port) });
  t.equal(await child.exit(), 1);
  t.match(child.stdout, /"level":"fatal".*EADDRINUSE/);
});

/** A gateway that asks for the keys of its issuer before it listens, and waits for them. */
async function starting(t: Test, node: string[] = [], env: Record<string, string> = {}): Promise<Child> {
  const provider = http.createServer();
  const url = `http://127.0.0.1:${await listening(t, provider)}/jwks.json`;
  const { SESSION_SECRET: _, ...others } = good;
  const child = new Child(t, [...node, 'src/main.ts'], { ...others, ...env, SESSION_JWKS_URL: url });
  await once(provider, 'request');
  return child;
}

t.test('where a port is taken, it ends with 1 and says that it could not start', parallel, async (t) => {
  for (const name of ['PORT', 'ADMIN_PORT']) {
    const taken = await listening(t, http.createServer());
    const child = new Child(t, ['src/main.ts'], { ...good, [name]: `${taken}` });
    t.equal(await child.exit(), 1);
    const line = JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '');
    t.match(
      line,
      { level: 'fatal', msg: 'the gateway could not start', err: { message: /EADDRINUSE/ } },
      name,
    );
  }
});

t.test('a signal during the start ends it with 0, before it serves anybody', parallel, async (t) => {
  const child = await starting(t);
  child.process.kill('SIGTERM');
  t.equal(await child.exit(), 0);
  t.match(child.stdout, 'shutting down');
  t.notMatch(child.stdout, /listening|ready/);
});

t.test('an error during the start ends it with 1, before it serves anybody', parallel, async (t) => {
  const env = { DEFECT: 'exception', MESSAGE: `${API_KEY} ${await sign()}` };
  const child = await starting(t, ['--import=./test/fixtures/defect.ts'], env);
  child.process.kill('SIGWINCH');
  t.equal(await child.exit(), 1);
  const message = 'the gateway could not start';
  const error = { type: 'TypeError', message: '[redacted] [redacted]' };
  t.match(JSON.parse(child.stdout), { level: 'fatal', err: error, msg: message }, 'all that it ever says');
  t.equal(child.stderr, '');
});
