import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import { startGateway } from '../child.ts';
import { API_KEY, SECRET, sign, unlessInstalled } from '../helper.ts';
import { RedisServer } from '../redis-server.ts';
import { SecretVolume } from '../secret-volume.ts';

const made = (what: string) => `${what}-${randomBytes(20).toString('hex')}`;
const keyFile = { COMETCHAT_API_KEY: API_KEY };
const REREAD = '"msg":"the secrets (?:have been replaced|were read again)';
const rereads = (stdout: string) => [...stdout.matchAll(new RegExp(REREAD, 'g'))].length;

/** A gateway with its secrets in files, and users who call all the time. */
async function underLoad(t: Test, secrets: Record<string, string>) {
  const volume = new SecretVolume(t, secrets);
  const gateway = await startGateway(t, { ...volume.env(), RATE_LIMIT_PER_MINUTE: '1000000' });
  const load = { secret: SECRET, sent: 0, failed: [] as number[], isOver: false };
  const user = async (number: number) => {
    while (!load.isOver) {
      const token = await sign({ sub: `cometchat-uid-${number}` }, { secret: load.secret });
      const { status } = await gateway.call(
        { tags: [`${load.sent}`], conversationWith: 'cometchat-uid-5' },
        token,
      );
      load.sent += 1;
      if (status !== 200) load.failed.push(status);
    }
  };
  const users = [1, 2, 3].map(user);
  t.teardown(async () => {
    load.isOver = true;
    await Promise.all(users);
    gateway.child.process.kill('SIGTERM');
    await gateway.child.exit();
  });
  return {
    ...gateway,
    load,
    /** Replaces the files, and waits until they have been read. */
    async rotate(fresh: Record<string, string>) {
      const before = rereads(gateway.child.stdout);
      volume.write(fresh);
      await gateway.child.says(new RegExp(`(?:${REREAD}[\\s\\S]*){${before + 1}}`));
    },
    volume,
    async metric(name: string): Promise<number> {
      const text = await (await fetch(gateway.metrics)).text();
      return Number(new RegExp(`^cometchat_gateway_${name} (\\d+)$`, 'm').exec(text)?.[1]);
    },
    /** Waits until so many more calls were made, and checks that none of all has failed. */
    async goesOn(t: Test, calls = 50) {
      const until = load.sent + calls;
      while (load.sent < until) await new Promise(setImmediate);
      t.strictSame(load.failed, [], 'no call has failed');
    },
  };
}

t.test('the session secret and the API key are replaced under load, and no call fails', async (t) => {
  const [newSecret, newKey] = [made('secret'), made('key')];
  const gateway = await underLoad(t, { ...keyFile, SESSION_SECRET: SECRET });
  const { sandbox, load, rotate, goesOn, call } = gateway;
  sandbox.acceptKeys(API_KEY, newKey);
  await goesOn(t);
  await rotate({ COMETCHAT_API_KEY: newKey, SESSION_SECRET: `${newSecret},${SECRET}` });
  await goesOn(t);
  t.equal(sandbox.calls.at(-1)?.headers.apikey, newKey, 'the new key is used');
  sandbox.acceptKeys(newKey);
  load.secret = newSecret;
  await goesOn(t);
  const known = await sign();
  for (const _ of [1, 2])
    t.equal((await call({ tags: [] }, known)).status, 200, 'the old secret is still good');
  await rotate({ COMETCHAT_API_KEY: newKey, SESSION_SECRET: newSecret });
  await goesOn(t);
  t.equal((await call()).status, 401, 'the old secret is good for nothing any more');
  t.equal((await call({ tags: [] }, known)).status, 401, 'nor is a token that has been let in before');
});

t.test('files that are not fit keep the old secrets, and raise the alarm until they are', async (t) => {
  const gateway = await underLoad(t, { ...keyFile, SESSION_SECRET: SECRET });
  const { child, volume, rotate, goesOn, metric } = gateway;
  t.equal(await metric('secrets_stale'), 0);
  volume.write({ COMETCHAT_API_KEY: 'two words', SESSION_SECRET: 'too-short' });
  const [line] = await child.says(/.*"the secrets cannot be read again.*/);
  t.match(JSON.parse(line), {
    level: 'error',
    faults: [/^COMETCHAT_API_KEY: must /, /^SESSION_SECRET: must have 32 bytes or more/],
  });
  t.equal(await metric('secrets_stale'), 1);
  t.ok(await metric('secret_reloads_total{result="failed"}'));
  await goesOn(t);
  await rotate({ ...keyFile, SESSION_SECRET: SECRET });
  t.equal(await metric('secrets_stale'), 0);
  await goesOn(t);
});

t.test('SIGHUP has them read again at once, and ends nothing', async (t) => {
  const { child, goesOn } = await underLoad(t, { ...keyFile, SESSION_SECRET: SECRET });
  child.process.kill('SIGHUP');
  await child.says(/"msg":"the secrets were read again: they are as before"/);
  await goesOn(t);
});

t.test(
  'a new password of Redis is used by the next connection',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const gateway = await underLoad(t, { ...keyFile, SESSION_SECRET: SECRET, REDIS_URL: redis.url });
    const { child, rotate, goesOn, metric } = gateway;
    await redis.changePassword();
    await rotate({ ...keyFile, SESSION_SECRET: SECRET, REDIS_URL: redis.url });
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await child.says(/"msg":"Redis connection restored"/);
    t.equal(await metric('redis_connected'), 1);
    await goesOn(t);
  },
);

t.test(
  'a password of Redis that comes too late is used all the same',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const gateway = await underLoad(t, { ...keyFile, SESSION_SECRET: SECRET, REDIS_URL: redis.url });
    const { child, rotate, metric } = gateway;
    await redis.changePassword();
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await child.says(/WRONGPASS/);
    await rotate({ ...keyFile, SESSION_SECRET: SECRET, REDIS_URL: redis.url });
    await child.says(/"msg":"Redis connection restored"/);
    t.equal(await metric('redis_connected'), 1);
  },
);

t.test('another Redis is nothing to go over to while it runs', async (t) => {
  const files = { ...keyFile, SESSION_SECRET: SECRET, REDIS_URL: 'redis://:password-1@127.0.0.1:1/0' };
  const { child, volume } = await underLoad(t, files);
  volume.write({ ...files, REDIS_URL: 'redis://:password-1@127.0.0.1:1/1' });
  const [line] = await child.says(/.*"the secrets cannot be read again.*/);
  t.match(JSON.parse(line), { faults: [/^REDIS_URL: only its user and password can be changed/] });
});
