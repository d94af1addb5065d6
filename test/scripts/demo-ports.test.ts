import t from 'tap';
import { listenFrom } from '../../scripts/demo/listen.ts';
import { freePort } from '../helpers/ports.ts';
import { Child } from '../helpers/process.ts';

const DEMO = 'scripts/demo.ts';

/** Who is where, by what the demo shows. */
function portsOf({ stdout }: Child) {
  const [, gateway] = /PUT http:\/\/127\.0\.0\.1:(\d+)\/me\//.exec(stdout) ?? [];
  const [, sandbox] = /PUT http:\/\/127\.0\.0\.1:(\d+)\/v3\//.exec(stdout) ?? [];
  return { gateway, sandbox };
}

t.test(
  'npm run demo is on port 3000 and CometChat’s stand-in on 4000, or on the next free ones',
  async (t) => {
    const first = new Child(t, [DEMO]);
    await first.says(/-d '.+'\n/);
    const second = new Child(t, [DEMO, '--once']);
    t.equal(await second.exit(), 0);
    t.not(portsOf(first).gateway, portsOf(second).gateway);
    t.not(portsOf(first).sandbox, portsOf(second).sandbox);
    // Somebody else on this machine may have one of them, so that the first demo has moved as well.
    for (const child of [first, second]) {
      const { gateway, sandbox } = portsOf(child);
      const moved = [
        ...(gateway === '3000' ? [] : [`Port 3000 is taken: the gateway is on ${gateway}`]),
        ...(sandbox === '4000' ? [] : [`Port 4000 is taken: CometChat’s stand-in is on ${sandbox}`]),
      ];
      t.strictSame(child.stdout.match(/^Port .*$/gm) ?? [], moved);
    }

    const third = new Child(t, [DEMO, '--once', `--port=${portsOf(first).gateway}`]);
    t.equal(await third.exit(), 1);
    t.match(third.stderr, `Port ${portsOf(first).gateway} is taken: choose another --port`);
    t.equal(third.stdout, '');
  },
);

t.test('--port is the gateway’s port', async (t) => {
  const port = await freePort();
  const child = new Child(t, [DEMO, '--once', `--port=${port}`]);
  t.equal(await child.exit(), 0);
  t.equal(portsOf(child).gateway, `${port}`);
  t.notMatch(child.stdout, 'the gateway is on');
});

t.test('CometChat’s stand-in leaves the gateway its port', async (t) => {
  const listen = async (port: number) => port;
  t.equal(await listenFrom(4000, listen), 4000);
  t.equal(await listenFrom(4000, listen, 4000), 4001);
});

t.test('only a port that is taken leads to another one', async (t) => {
  const listen = () => Promise.reject(Object.assign(new Error('not permitted'), { code: 'EACCES' }));
  await t.rejects(listenFrom(80, listen), { code: 'EACCES' });
});

for (const [code, says] of [
  ['EACCES', /^Port 80 may not be used: choose another --port/],
  ['EADDRINUSE', /^Port 80 is taken: choose another --port/],
  ['EADDRNOTAVAIL', /code: 'EADDRNOTAVAIL'/],
] as const) {
  t.test(`${code} for the port that was asked for ends the demo`, async (t) => {
    const script = `import { listenOn } from './scripts/demo/listen.ts';
      await listenOn(80, () => Promise.reject(Object.assign(new Error('no'), { code: '${code}' })));`;
    const child = new Child(t, ['--input-type=module', '--eval', script]);
    t.equal(await child.exit(), 1);
    t.match(child.stderr, says);
  });
}
