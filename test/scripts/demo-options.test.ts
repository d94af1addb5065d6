import t from 'tap';
import { Child } from '../helpers/process.ts';

const DEMO = 'scripts/demo.ts';

const WRONG: readonly [args: string, reason: RegExp][] = [
  ['--twice', /^Unknown option '--twice'$/m],
  ['later', /^Unexpected argument 'later'$/m],
  ['--port', /^Option '--port <value>' argument missing$/m],
  ['--port=65536', /^--port must be a number from 0 to 65535$/m],
  ['--port=http', /^--port must be a number from 0 to 65535$/m],
  [
    '--cors=https://app.example --cors=https://app.example/',
    /^--cors must hold exact origins .*; item 2 is wrong$/m,
  ],
];
for (const [args, reason] of WRONG) {
  t.test(`npm run demo -- ${args} says what is wrong, and how it is used`, async (t) => {
    const child = new Child(t, [DEMO, ...args.split(' ')]);
    t.equal(await child.exit(), 64);
    t.equal(child.stdout, '');
    t.match(child.stderr, reason);
    t.match(child.stderr, /^usage: npm run demo -- \[--once\] \[--port <n>\] \[--cors <origin>,\.\.\.\]$/m);
  });
}

t.test('CORS_ORIGINS is refused, for the demo does not read it', async (t) => {
  const child = new Child(t, [DEMO], { CORS_ORIGINS: 'https://app.example' });
  t.equal(await child.exit(), 64);
  t.match(child.stderr, /^The demo does not read CORS_ORIGINS: unset it, and use --cors$/m);
});

/** Asks as the browser does for a page of this origin. @returns the origin that is allowed */
async function preflight(gateway: string, origin: string): Promise<string | null> {
  const headers = { origin, 'access-control-request-method': 'PUT' };
  const answer = await fetch(`${gateway}/me/conversations/tags`, { method: 'OPTIONS', headers });
  return answer.headers.get('access-control-allow-origin');
}

t.test('--cors lets pages of other origins call, and any other page is told of in plain words', async (t) => {
  const child = new Child(t, [
    DEMO,
    '--port=0',
    '--cors=http://localhost:5173,https://app.example',
    '--cors=https://other.example',
  ]);
  const [, gateway = ''] = await child.says(/GATEWAY=(\S+)[\s\S]*-d '.+'\n/);
  const [, sandboxPort] = /PUT http:\/\/127\.0\.0\.1:(\d+)\/v3/.exec(child.stdout) ?? [];
  for (const origin of [
    'http://localhost:5173',
    'https://app.example',
    'https://other.example',
    `http://127.0.0.1:${sandboxPort}`,
  ]) {
    t.equal(await preflight(gateway, origin), origin);
  }
  t.notMatch(child.stdout, 'may not call');
  t.equal(await preflight(gateway, 'http://localhost:5174'), null);
  await child.says(
    /^ {3}A page of http:\/\/localhost:5174 may not call the gateway: start with --cors http:\/\/localhost:5174$/m,
  );
  t.equal(await preflight(gateway, 'null'), null);
  await child.says(/^ {3}A page of null may not call .* and --cors cannot allow it: serve the page from/m);
  child.process.kill('SIGINT');
  t.equal(await child.exit(), 0);
});
