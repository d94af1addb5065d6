import type { Test } from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { redisTest } from '../helpers/redis.ts';
import { clusterTest, sentinelTest } from '../helpers/redis-kinds.ts';
import { until } from '../helpers/until.ts';

/** Checks that a gateway with these variables says in a line of level error what is wrong, and does not call Redis ok. */
async function isTold(t: Test, env: Record<string, string>, advice: RegExp, state = 'misconfigured') {
  const gateway = await startGateway(t, env);
  const told = () => gateway.lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
  await until('the error', () => told().length > 0);
  t.match(JSON.stringify(told()), advice);
  t.equal((await gateway.get('/readyz')).json.redis, state);
  t.equal((await gateway.counts()).redis_connected, 0);
  t.equal((await gateway.setTags()).status, 200);
  t.equal(told().length, 1, 'once');
}

const hostIn = (url: string) => new URL(url.replace(/redis\+\w+/, 'redis').replace(/,.*/, '')).host;

clusterTest('redis:// at a node of a Redis Cluster', async (t, { url, password }) => {
  const plain = `redis://:${password}@${hostIn(url)}`;
  await isTold(t, { REDIS_URL: plain }, /leads to a node of a Redis Cluster: write redis\+cluster:/);
  const wrong = url.replace(password, 'of-another');
  await isTold(t, { REDIS_URL: wrong }, /"type":"WRONGPASS"},"msg":"Redis connection lost"/, 'unavailable');
});

redisTest('redis+cluster:// or redis+sentinel:// at a server that stands alone', async (t, { url }) => {
  const cluster = url.replace('redis:', 'redis+cluster:');
  await isTold(t, { REDIS_URL: cluster }, /leads to no Redis Cluster: write redis:/);
  const { host, password } = new URL(url);
  const sentinel = `redis+sentinel://${host}/tags`;
  await isTold(
    t,
    { REDIS_URL: sentinel, REDIS_SENTINEL_PASSWORD: password },
    /leads to no sentinel: write redis:/,
  );
});

sentinelTest('redis:// or redis+cluster:// at a sentinel, and a wrong name or password', async (t, redis) => {
  const { url, password, sentinelPassword, environment } = redis;
  const at = `:${sentinelPassword}@${hostIn(url)}`;
  await isTold(t, { REDIS_URL: `redis://${at}` }, /leads to a sentinel: write redis\+sentinel:/);
  await isTold(t, { REDIS_URL: `redis+cluster://${at}` }, /leads to no Redis Cluster: write redis:/);
  const other = url.replace('/tags/', '/others/');
  await isTold(t, { ...environment, REDIS_URL: other }, /names a master that the sentinels do not know/);
  const refused = /"type":"WRONGPASS"},"msg":"Redis connection lost"/;
  await isTold(t, { ...environment, REDIS_SENTINEL_PASSWORD: 'wrong' }, refused, 'unavailable');
  const wrong = url.replace(password, 'of-another');
  await isTold(t, { ...environment, REDIS_URL: wrong }, refused, 'unavailable');
});
