import type { Test } from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { opaqueSessions } from '../helpers/redis.ts';
import { sentinelTest } from '../helpers/redis-kinds.ts';
import type { RedisSentinels } from '../helpers/redis-sentinels.ts';
import { until } from '../helpers/until.ts';
import { ALL_SERVED, answersTo, meanwhile, shareAll, storeSessions } from './topology.ts';

/** A gateway with opaque sessions, all of which are served, and the master that has them. */
async function withSessions(t: Test, redis: RedisSentinels) {
  const master = await redis.master();
  await storeSessions((...command) => redis.ask(master, ...command));
  const gateway = await startGateway(t, { ...opaqueSessions(redis.url), ...redis.environment });
  t.strictSame(await answersTo(gateway), ALL_SERVED);
  const hasMoved = async () => (await redis.master())?.port !== master.port;
  return { gateway, master, isMoved: () => until('another master', hasMoved) };
}

sentinelTest('replicas share all in the master that sentinels name', async (t, redis) => {
  const master = await redis.master();
  await shareAll(t, redis.environment, (...command) => redis.ask(master, ...command));
});

for (const [name, lose] of [
  ['is killed', (master: RedisSentinels['servers'][number]) => master.kill()],
  ['hangs', async (master: RedisSentinels['servers'][number]) => master.freeze()],
] as const) {
  sentinelTest(
    `when the master ${name}, the next one is followed, and no session is lost`,
    async (t, redis) => {
      const { gateway, master, isMoved } = await withSessions(t, redis);
      const { answers, failedForMs } = await meanwhile(gateway, async () => {
        await lose(master);
        await isMoved();
      });
      t.strictSame(answers, ['200', 'session-store-unavailable'], 'none is refused as unknown');
      t.ok(failedForMs < 1900, `${failedForMs} ms`);
      t.strictSame(await answersTo(gateway), ALL_SERVED);
      t.match((await gateway.get('/readyz')).json, { redis: 'ok' });
    },
  );
}

sentinelTest('a master that another one replaces is left at once, though it goes on', async (t, redis) => {
  const { gateway, master, isMoved } = await withSessions(t, redis);
  const { answers } = await meanwhile(gateway, async () => {
    await redis.askSentinel(redis.sentinels[0] ?? { port: 0 }, 'SENTINEL', 'FAILOVER', 'tags');
    await isMoved();
  });
  t.notOk(answers.includes('session-invalid'), answers.join());
  t.strictSame(await answersTo(gateway), ALL_SERVED);
  const clients = String(await redis.ask(await redis.master(), 'CLIENT', 'LIST'));
  t.match(clients, 'name=cometchat-gateway');
  t.ok(master.isRunning);
});

sentinelTest('sentinels that are down at the start are found when they come', async (t, redis) => {
  await Promise.all(redis.sentinels.map((sentinel) => sentinel.kill()));
  const gateway = await startGateway(t, redis.environment);
  const state = async () => (await gateway.get('/readyz')).json.redis;
  t.equal(await state(), 'unavailable');
  t.match(gateway.lines.join(), /"level":"warn".*"error":{"type":"\w+"},"msg":"Redis connection lost"/);
  await Promise.all(redis.sentinels.map((sentinel) => sentinel.start()));
  await until('the connection', async () => (await state()) === 'ok');
});
