import net from 'node:net';
import t, { type Test } from 'tap';
import { Child } from './child.ts';
import { API_KEY, environment, holdsNoSecret, sign } from './helper.ts';
import { listening } from './ports.ts';
import { Sandbox } from './sandbox/server.ts';

/** The gateway as a process, once it is ready, with a sandbox behind it. */
async function started(t: Test) {
  const sandbox = await Sandbox.start({ apiKey: API_KEY });
  t.teardown(() => sandbox.close());
  const child = new Child(t, ['src/main.ts'], environment(sandbox.baseUrl));
  const [, origin = ''] = await child.says(/listening at (http:\/\/[\d.:]+)/);
  const [, metrics = ''] = await child.says(/"metrics":"(http:[^"]+)","msg":"ready"/);
  const call = async () =>
    fetch(`${origin}/me/conversations/tags`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${await sign()}`, 'content-type': 'application/json' },
      body: '{"tags":["a"]}',
    });
  return { child, sandbox, metrics, call };
}

t.test('a bad configuration ends the start with 78 and a line for each fault', async (t) => {
  const child = new Child(t, ['src/main.ts'], { PORT: 'x', SESSION_SECRET: 'too-short' });
  t.equal(await child.exit(), 78);
  t.equal(child.stdout, '');
  const names = ['PORT', 'SESSION_SECRET', 'SESSION_ISSUER', 'SESSION_AUDIENCE'];
  const cometchat = ['COMETCHAT_API_KEY', 'COMETCHAT_APP_ID', 'COMETCHAT_REGION'];
  for (const name of [...names, ...cometchat]) t.match(child.stderr, new RegExp(`^ {2}${name}: `, 'm'));
  t.equal(child.stderr.trim().split('\n').length, 8);
  t.notMatch(child.stderr, 'too-short');
});

t.test('a port that is taken ends the start with 1', async (t) => {
  const server = net.createServer();
  const port = await listening(t, server);
  const child = new Child(t, ['src/main.ts'], { ...environment('https://chat.example'), PORT: String(port) });
  t.equal(await child.exit(), 1);
  t.match(child.stdout, /"level":"fatal".*EADDRINUSE/);
});

t.test('it serves, and SIGTERM ends it with 0 after the call in flight', async (t) => {
  const { child, sandbox, metrics, call } = await started(t);
  t.equal((await call()).status, 200);
  t.match(await (await fetch(metrics)).text(), /cometchat_gateway_problems_total/);
  sandbox.fault({ delayMs: 200 });
  const arrived = sandbox.nextCall();
  const inFlight = call();
  await arrived;
  child.process.kill('SIGTERM');
  t.equal((await inFlight).status, 200);
  t.equal(await child.exit(), 0);
  t.match(child.stdout, /"signal":"SIGTERM".*"shutting down"/);
  holdsNoSecret(t, child.stdout + child.stderr);
});

t.test('a second signal ends it at once', async (t) => {
  const { child, sandbox, call } = await started(t);
  sandbox.fault({ delayMs: 60_000 });
  const arrived = sandbox.nextCall();
  const inFlight = call();
  await arrived;
  child.process.kill('SIGTERM');
  await child.says(/shutting down/);
  child.process.kill('SIGTERM');
  await t.rejects(inFlight);
  t.equal(await child.exit(), 1);
});
