import net from 'node:net';
import t from 'tap';
import { Child, startGateway } from './child.ts';
import { environment, holdsNoSecret } from './helper.ts';
import { listening } from './ports.ts';

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
  const { child, sandbox, metrics, call } = await startGateway(t);
  t.equal((await call()).status, 200);
  const text = await (await fetch(metrics)).text();
  t.match(text, /^cometchat_gateway_problems_total/m);
  t.match(text, /^nodejs_eventloop_lag_p99_seconds /m, 'with those of the process');
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
