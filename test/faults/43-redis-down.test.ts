import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { build, isProblem, ME, sign, unlessInstalled } from '../helper.ts';
import { listening } from '../ports.ts';
import { RedisServer } from '../redis-server.ts';
import { faulty } from './faulty.ts';

const TOKEN = 'opaque';
const KEY = `session:${createHash('sha256').update(TOKEN).digest('hex')}`;

/** Something that speaks as Redis does, and answers these commands as given; all others with OK. */
async function fakeRedis(t: Test, replies: Record<string, string>): Promise<string> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      for (const [, command = ''] of String(data).matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)) {
        const known: Record<string, string> = { hello: "-ERR unknown command 'HELLO'", ...replies };
        socket.write(`${known[command.toLowerCase()] ?? '+OK'}\r\n`);
      }
    });
  });
  return `redis://127.0.0.1:${await listening(t, server)}`;
}

/** How often Redis could not be asked, by what for. */
async function failures({
  metrics,
}: Awaited<ReturnType<typeof faulty>>['app']): Promise<Record<string, number>> {
  const metric = metrics.registry.getSingleMetric('cometchat_gateway_redis_failures_total');
  const { values = [] } = (await metric?.get()) ?? {};
  const counted = values.filter(({ value }) => value > 0);
  return Object.fromEntries(counted.map(({ labels, value }) => [String(labels.use), value]));
}

/** A gateway that takes JWTs, and one whose sessions are in the same Redis. */
async function both(t: Test, redis: RedisServer) {
  const jwt = await faulty(t, { REDIS_URL: redis.url });
  const opaque = await faulty(t, { SESSION_SECRET: undefined, SESSION_STORE: 'redis', REDIS_URL: redis.url });
  const revocable = `Bearer ${await sign({ jti: 'a' })}`;
  const calls = {
    jwt: () => jwt.put({ tags: [] }, { authorization: revocable }),
    unrevocable: () => jwt.put({ tags: [] }),
    opaque: () => opaque.put({ tags: [] }, { authorization: `Bearer ${TOKEN}` }),
  };
  return {
    jwt,
    opaque,
    /** Sessions that Redis must be asked about are refused at once, and everything else is served. */
    async failsClosed(t: Test) {
      for (const [gateway, call] of [
        [jwt, calls.jwt],
        [opaque, calls.opaque],
      ] as const) {
        const answer = await call();
        await gateway.refused(t, answer, 503, 'session-store-unavailable');
        t.equal(answer.headers.get('retry-after'), '2');
      }
      await jwt.served(t, await calls.unrevocable());
      t.match(await failures(jwt.app), { revocation: Number, rate_limit: Number });
      t.match(await failures(opaque.app), { session: Number });
      for (const [{ lines }, call] of [
        [jwt, calls.jwt],
        [opaque, calls.opaque],
      ] as const) {
        while (!/"level":"warn".*"Redis connection lost"/.test(lines.join())) await call();
      }
      const ready = await jwt.get('/readyz');
      t.equal(ready.status, 200, 'who has another kind of session, or no jti, is served');
      t.match(ready.json, { status: 'ok', redis: 'unavailable' });
      isProblem(t, await opaque.get('/readyz'), 503, 'session-store-unavailable');
      t.match(await opaque.app.metrics.registry.metrics(), /redis_connected 0/);
    },
    /** Waits until both are served again, by nobody's help. */
    async recovers(t: Test) {
      for (const [gateway, call] of [
        [jwt, calls.jwt],
        [opaque, calls.opaque],
      ] as const) {
        let answer = await call();
        while (answer.status === 503) answer = await call();
        await gateway.served(t, answer);
        // After a failover the connection may be made anew meanwhile.
        while ((await gateway.get('/readyz')).json.redis !== 'ok');
        t.pass('and they are ready');
      }
    },
  };
}

const store = (redis: RedisServer) => redis.command('SET', KEY, JSON.stringify({ sub: ME }), 'EX', 600);

t.test('Redis is down at the start, and comes', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t, { down: true });
  const gateways = await both(t, redis);
  await gateways.failsClosed(t);
  await redis.start();
  await store(redis);
  await gateways.recovers(t);
});

t.test('Redis crashes, and comes back', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  await store(redis);
  const gateways = await both(t, redis);
  await gateways.recovers(t);
  await redis.stop();
  await gateways.failsClosed(t);
  await redis.start();
  await store(redis);
  await gateways.recovers(t);
  t.match(gateways.jwt.lines.join(), /"level":"info".*"Redis connection restored"/);
});

t.test('Redis hangs, and goes on', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  await store(redis);
  const gateways = await both(t, redis);
  await gateways.recovers(t);
  redis.freeze();
  t.teardown(() => redis.thaw());
  await gateways.failsClosed(t);
  redis.thaw();
  await gateways.recovers(t);
});

t.test(
  'a Redis that hangs is waited for once, and one that is gone not at all',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const { put, served } = await faulty(t, { REDIS_URL: redis.url });
    const revocable = { authorization: `Bearer ${await sign({ jti: 'a' })}` };
    await served(t, await put({ tags: [] }, revocable));
    const call = async () => {
      const start = performance.now();
      const { status } = await put({ tags: [] }, revocable);
      return status === 503 ? performance.now() - start : Number.POSITIVE_INFINITY;
    };
    redis.freeze();
    t.ok((await call()) < 2000);
    await redis.stop();
    const times: number[] = [];
    for (const end = performance.now() + 1500; performance.now() < end; ) times.push(await call());
    const [median = 0] = times.sort((a, b) => a - b).slice(times.length / 2);
    t.ok(median < 100, `${median} ms`);
  },
);

t.test(
  'a request waits half a second for a Redis that hangs, and no longer',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const { put, served, refused } = await faulty(t, { REDIS_URL: redis.url });
    const revocable = { authorization: `Bearer ${await sign({ jti: 'a' })}` };
    await served(t, await put({ tags: [] }, revocable));
    redis.freeze();
    // Before the connection is given up.
    setTimeout(() => redis.thaw(), 850);
    await refused(t, await put({ tags: [] }, revocable), 503, 'session-store-unavailable', 'timeout');
  },
);

t.test('an outage uses up nobody’s limit', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t, { down: true });
  const { put, refused } = await faulty(t, { REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '1' });
  const revocable = { authorization: `Bearer ${await sign({ jti: 'a' })}` };
  for (const _ of [1, 2, 3]) {
    await refused(t, await put({ tags: [] }, revocable), 503, 'session-store-unavailable');
  }
});

t.test('an outage is one line in the log, with its reason', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t, { down: true });
  const { put, lines } = await faulty(t, { REDIS_URL: redis.url });
  for (const _ of [1, 2, 3, 4]) await put({ tags: [] });
  const logged = lines.filter((line) => line.includes('Redis connection lost'));
  t.equal(logged.length, 1);
  t.match(logged[0], /"type":"ECONNREFUSED"/);
});

t.test(
  'a master that has become a replica is left once, and no other error is a reason',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const { put } = await faulty(t, {
      SESSION_SECRET: undefined,
      SESSION_STORE: 'redis',
      REDIS_URL: redis.url,
    });
    const connection = async () => {
      const clients = String(await redis.command('CLIENT', 'LIST'));
      return /id=(\d+)[^\n]* name=cometchat-gateway/.exec(clients)?.[1];
    };
    const call = () => put({ tags: [] }, { authorization: `Bearer ${TOKEN}` });
    const first = await connection();
    await redis.command('RPUSH', KEY, 'no text');
    t.equal((await call()).status, 503);
    t.equal(await connection(), first, 'an error of another kind');
    await redis.command('DEL', KEY);
    await store(redis);
    await redis.command('REPLICAOF', '127.0.0.1', 1);
    await call();
    let second = await connection();
    while (second === undefined || second === first) second = await connection();
    while ((await call()).status !== 200);
    t.equal(await connection(), second, 'once, though it still takes no writes');
  },
);

t.test('Redis takes no writes after a failover', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  await store(redis);
  const { jwt, opaque, recovers } = await both(t, redis);
  await redis.command('REPLICAOF', '127.0.0.1', 1);
  // Reads go on, so that sessions and revocations hold; limits count in the process.
  await recovers(t);
  t.match(await failures(jwt.app), { rate_limit: Number });
  t.match(await failures(opaque.app), { rate_limit: Number });
  await redis.command('REPLICAOF', 'NO', 'ONE');
  await recovers(t);
});

t.test('a Redis that still loads its data delays neither the start nor a request', async (t) => {
  const info = 'redis_version:7.0.0\r\nloading:1\r\nloading_eta_seconds:3600\r\n';
  const loading = await fakeRedis(t, { info: `$${info.length}\r\n${info}` });
  const { put, served, refused } = await faulty(t, { REDIS_URL: loading });
  const revocable = { authorization: `Bearer ${await sign({ jti: 'a' })}` };
  await refused(t, await put({ tags: [] }, revocable), 503, 'session-store-unavailable');
  await served(t, await put({ tags: [] }));
});

t.test('what Redis refuses stands in the line of the request', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  await redis.command('ACL', 'SETUSER', 'default', '-exists', '-eval');
  const { put, served, refused, lines } = await faulty(t, { REDIS_URL: redis.url });
  const revocable = { authorization: `Bearer ${await sign({ jti: 'a' })}` };
  await refused(t, await put({ tags: [] }, revocable), 503, 'session-store-unavailable', 'NOPERM');
  await served(t, await put({ tags: [] }));
  t.match(lines.join(), /"type":"NOPERM"},"msg":"Redis unavailable: using in-process state"/);
});

t.test('the rights that the README asks Redis for are enough', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, rights = ''] = /^ACL SETUSER gateway on ><password> (.*)$/m.exec(readme) ?? [];
  await redis.command('ACL', 'SETUSER', 'gateway', 'on', '>test', ...rights.split(' '));
  const REDIS_URL = redis.url.replace(/:[^:@]+@/, 'gateway:test@');
  const { app, put, sandbox } = await faulty(t, { REDIS_URL });
  const other = await faulty(t, { REDIS_URL, COMETCHAT_BASE_URL: sandbox.baseUrl });
  const revocable = { authorization: `Bearer ${await sign({ jti: 'a' })}` };
  sandbox.fault({ delayMs: 100 }, {}, { status: 429 });
  const arrived = sandbox.nextCall();
  const first = put({ tags: ['a'] }, revocable);
  await arrived;
  t.equal((await other.put({ tags: ['a'] }, revocable)).status, 200, 'after the one of the first replica');
  t.equal((await first).status, 200);
  t.equal((await put({ tags: [] })).json.code, 'cometchat-busy');
  t.equal((await other.put({ tags: [] })).json.code, 'cometchat-busy');
  t.equal(sandbox.received, 3);
  t.strictSame([await failures(app), await failures(other.app)], [{}, {}]);
});

t.test('a Redis that answers what nobody asked harms nothing', async (t) => {
  for (const reply of ['$-1', '+OK', '*0', '*2\r\n$1\r\nx\r\n$1\r\ny', ':99999999999999999999']) {
    const odd = await fakeRedis(t, {
      ...Object.fromEntries(
        ['set', 'incr', 'eval', 'hincrby', 'hlen', 'pexpire', 'pttl'].map((name) => [name, reply]),
      ),
      info: '$0\r\n',
    });
    const { put, served, app } = await faulty(t, { REDIS_URL: odd, RATE_LIMIT_PER_MINUTE: '9' });
    const answer = await served(t, await put({ tags: [] }));
    t.match(answer.headers.get('ratelimit'), /^"user";r=8;t=\d+$/);
    t.match(await failures(app), { rate_limit: 1, write_order: 1, quota: 1 });
  }
});

t.test('a wrong password is no way in, and the log says so', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t);
  const { put, served, refused, lines } = await faulty(t, {
    REDIS_URL: redis.url.replace('redis-', 'wrong-'),
  });
  const revocable = { authorization: `Bearer ${await sign({ jti: 'a' })}` };
  await refused(t, await put({ tags: [] }, revocable), 503, 'session-store-unavailable');
  await served(t, await put({ tags: [] }));
  t.match(lines.join(), /"level":"error".*"type":"WRONGPASS"},"msg":"Redis connection lost"/);
});

t.test(
  'a replica whose Redis lets it ask for no session is not ready',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const env = { SESSION_SECRET: undefined, SESSION_STORE: 'redis', REDIS_URL: redis.url };
    const { get } = await faulty(t, env);
    t.equal((await get('/readyz')).status, 200);
    await redis.command('ACL', 'SETUSER', 'default', '-get');
    isProblem(t, await get('/readyz'), 503, 'session-store-unavailable');
    await redis.command('ACL', 'SETUSER', 'default', '+get');
    t.equal((await get('/readyz')).status, 200);
  },
);

t.test(
  'a database that is not there is not mistaken for another',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const { put, served, refused, lines } = await faulty(t, { REDIS_URL: `${redis.url}/99` });
    const revocable = { authorization: `Bearer ${await sign({ jti: 'a' })}` };
    for (const _ of [1, 2, 3]) {
      await refused(t, await put({ tags: [] }, revocable), 503, 'session-store-unavailable');
    }
    await served(t, await put({ tags: [] }));
    t.match(lines.join(), /"type":"ERR"},"msg":"Redis connection lost"/);
    t.notMatch(lines.join(), /Redis connection restored/);
  },
);

t.test(
  'a Redis that is full takes no counts, and knows revocations all the same',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const { put, served, refused, lines, app } = await faulty(t, { REDIS_URL: redis.url });
    await redis.command('SET', 'revoked:a', 1);
    await redis.command('CONFIG', 'SET', 'maxmemory', 1);
    const revoked = { authorization: `Bearer ${await sign({ jti: 'a' })}` };
    await refused(t, await put({ tags: [] }, revoked), 401, 'session-revoked');
    await served(t, await put({ tags: [] }));
    await served(t, await put({ tags: [] }));
    t.match(await failures(app), { rate_limit: 2, write_order: 2, quota: 2 });
    const logged = lines.filter((line) =>
      line.includes('"error":{"type":"OOM"},"msg":"Redis unavailable: using in-process state"'),
    );
    t.equal(logged.length, 3, 'one for each of them');
    await redis.command('CONFIG', 'SET', 'maxmemory', 0);
    await served(t, await put({ tags: [] }));
    t.match(lines.join(), /"limit":"user","msg":"Redis available: using shared state"/);
  },
);

t.test(
  'a Redis that refuses the gateway is an error in the log, also where it was lost before',
  unlessInstalled('redis-server'),
  async (t) => {
    const redis = await RedisServer.start(t);
    const { lines } = await build(t, { REDIS_URL: redis.url });
    await redis.changePassword();
    await redis.command('CLIENT', 'KILL', 'TYPE', 'normal');
    const end = performance.now() + 5000;
    while (!lines.join().includes('WRONGPASS') && performance.now() < end) await wait(5);
    const lost = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === 'Redis connection lost');
    t.match(lost, [
      { level: 'warn', error: { type: 'closed' } },
      { level: 'error', error: { type: 'WRONGPASS' } },
    ]);
  },
);

t.test('without Redis the limit of each process holds', unlessInstalled('redis-server'), async (t) => {
  const redis = await RedisServer.start(t, { down: true });
  const { put, served, refused, app } = await faulty(t, { REDIS_URL: redis.url, RATE_LIMIT_PER_MINUTE: '2' });
  await served(t, await put({ tags: [] }));
  await served(t, await put({ tags: [] }));
  await refused(t, await put({ tags: [] }), 429, 'rate-limited');
  t.match(await failures(app), { rate_limit: 3 });
});
