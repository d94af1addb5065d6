import t from 'tap';
import type { RedisClient } from '../../src/base/services.ts';
import { leasesOf } from '../../src/cometchat/lease.ts';
import { CLIENT_GONE } from '../../src/cometchat/outcome.ts';
import { countsOf } from '../helpers/metrics.ts';
import { services } from '../helpers/room.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

const NEVER = new AbortController().signal;

/**
 * A write that asks a Redis for its turn, in which no command succeeds until so many milliseconds have passed.
 *
 * @param isFailover whether Redis is expected back
 */
function asking({ backAfterMs, isFailover = true }: { backAfterMs: number; isFailover?: boolean }) {
  const clock = new VirtualClock();
  const redis = {
    eval: async () => {
      if (clock.now() < backAfterMs) throw new Error('Connection is closed.');
      return [1, '', 'granted'];
    },
    returnsSoon: () => isFailover,
  } as unknown as RedisClient;
  const around = services(redis, { clock });
  const lease = leasesOf(redis, 500, around)('lane', { kind: 'merge', deadline: 60_000 });
  return {
    clock,
    lease,
    failures: async () => (await countsOf(around.metrics))['redis_failures write_order'],
  };
}

t.test('in a failover a write waits for its turn among the writes of all replicas', async (t) => {
  const { clock, lease, failures } = asking({ backAfterMs: 1500 });
  t.equal(await clock.run(lease.acquire(NEVER)), undefined);
  t.ok(clock.now() >= 1500 && clock.now() < 1530, `after ${clock.now()} ms`);
  t.ok(lease.isHeld);
  clock.pass(1000);
  t.notOk(lease.isHeld, 'for as long as any turn');
  t.ok(Number(await failures()) > 1);
});

t.test('after two seconds it goes on without the others', async (t) => {
  const { clock, lease } = asking({ backAfterMs: 60_000 });
  t.equal(await clock.run(lease.acquire(NEVER)), undefined);
  t.ok(clock.now() >= 2000 && clock.now() < 2030, `after ${clock.now()} ms`);
  clock.pass(5000);
  t.ok(lease.isHeld, 'and is alone');
});

t.test('where no failover is going on it does so at once', async (t) => {
  const { lease, failures } = asking({ backAfterMs: 60_000, isFailover: false });
  t.equal(await lease.acquire(NEVER), undefined);
  t.equal(await failures(), 1);
});

t.test('it waits no longer than its client does', async (t) => {
  const { clock, lease } = asking({ backAfterMs: 60_000 });
  const client = new AbortController();
  clock.after(300, () => client.abort(CLIENT_GONE));
  t.equal(await clock.run(lease.acquire(client.signal)), CLIENT_GONE);
  t.equal(clock.now(), 300);
});
