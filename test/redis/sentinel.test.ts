import { startGateway } from '../helpers/gateway.ts';
import { sentinelTest } from '../helpers/redis-kinds.ts';
import { until } from '../helpers/until.ts';
import { ALL_SERVED, answersTo, behindSentinels, meanwhile, shareAll } from './topology.ts';

sentinelTest('replicas share all in the master that sentinels name', async (t, redis) => {
  const master = await redis.master();
  await shareAll(t, redis.environment, (...command) => redis.ask(master, ...command));
});

sentinelTest('a master that another one replaces is left at once, though it goes on', async (t, redis) => {
  const { gateway, master, isMoved } = await behindSentinels(t, redis);
  const { answers } = await meanwhile(gateway, async () => {
    await redis.askSentinel(redis.sentinels[0] ?? { port: 0 }, 'SENTINEL', 'FAILOVER', 'tags');
    await isMoved();
  });
  t.notOk(answers.includes('session-invalid'), answers.join());
  t.strictSame(await answersTo(gateway), ALL_SERVED);
  const clients = String(await redis.ask(await redis.master(), 'CLIENT', 'LIST'));
  t.match(clients, 'name=cometchat-gateway');
  t.ok(master.isRunning);
  const told = gateway.lines
    .filter((line) => line.includes('Redis connection'))
    .map((line) => JSON.parse(line));
  t.match(told, [{ msg: 'Redis connection lost' }, { msg: 'Redis connection restored' }]);
  t.equal(told.length, 2, 'though each sentinel announces it');
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
