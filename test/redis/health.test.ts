import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { Health } from '../../src/redis/health.ts';
import { services } from '../helpers/room.ts';

t.test('an outage begins with the first loss, and ends when Redis can be asked again', async (t) => {
  const around = services();
  const warned = t.capture(around.log, 'warn');
  const health = new Health(around);
  t.equal(health.state, 'unavailable');
  t.equal(health.lostMs, Number.POSITIVE_INFINITY, 'at the start nobody knows since when');
  health.restored();
  t.strictSame([health.state, health.lostMs], ['ok', 0]);
  health.lost('closed');
  await setImmediate();
  const { lostMs } = health;
  t.ok(lostMs > 0 && lostMs < 5000, `${lostMs} ms`);
  health.lost('ECONNREFUSED');
  t.ok(health.lostMs >= lostMs, 'another reason is no new outage');
  t.strictSame(
    warned().map(({ args }) => args),
    [[{ error: { type: 'closed' } }, 'Redis connection lost']],
  );
  health.restored();
  t.equal(health.lostMs, 0);
});

t.test('what REDIS_URL leads to is told once, until that is mended', async (t) => {
  const around = services();
  const told = t.capture(around.log, 'error');
  const health = new Health(around);
  health.misconfigured('write another');
  health.misconfigured('write another');
  t.equal(health.state, 'misconfigured');
  t.equal(told().length, 1);
  health.restored();
  t.equal(health.state, 'ok');
});
