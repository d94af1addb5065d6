import t from 'tap';
import type { RedisClient } from '../../src/base/services.ts';
import { leasesOf } from '../../src/cometchat/lease.ts';
import { CLIENT_GONE } from '../../src/cometchat/outcome.ts';
import { countsOf } from '../helpers/metrics.ts';
import { services } from '../helpers/room.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

const NEVER = new AbortController().signal;

/**
 * A write that asks a Redis for its turn, in which no command succeeds until so many milliseconds have passed, and later once more.
 *
 * @param isFailover whether Redis is expected back
 */
function asking({
  backAfterMs,
  isFailover = true,
  again = [0, 0],
}: {
  backAfterMs: number;
  isFailover?: boolean;
  again?: [number, number];
}) {
  const clock = new VirtualClock();
  const redis = {
    eval: async () => {
      const now = clock.now();
      if (now < backAfterMs || (now >= again[0] && now < again[1])) throw new Error('Connection is closed.');
      return [1, '', 'granted'];
    },
    returnsSoon: () => isFailover,
  } as unknown as RedisClient;
  const around = services(redis, { clock });
  const leases = leasesOf(redis, 500, around);
  const next = () => leases('lane', { kind: 'merge', deadline: 60_000 });
  return {
    clock,
    lease: next(),
    next,
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

t.test('an outage that goes on is waited for by the first writes, and not by those after them', async (t) => {
  const { clock, lease, next } = asking({ backAfterMs: 60_000 });
  await clock.run(lease.acquire(NEVER));
  for (const pause of [0, 5000]) {
    clock.pass(pause);
    const asked = clock.now();
    await clock.run(next().acquire(NEVER));
    t.equal(clock.now(), asked, 'at once');
  }
});

t.test('a second failover is waited for like the first', async (t) => {
  const { clock, lease, next } = asking({ backAfterMs: 1500, again: [5000, 6500] });
  await clock.run(lease.acquire(NEVER));
  clock.pass(5000 - clock.now());
  await clock.run(next().acquire(NEVER));
  t.ok(clock.now() >= 6500, `after ${clock.now()} ms`);
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

t.test('where Redis stays away, nobody waits for that long', async (t) => {
  for (const [isFailover, longestMs] of [
    [true, 2020],
    [false, 0],
  ] as const) {
    const { clock, lease } = asking({ backAfterMs: 0, again: [1, 60_000], isFailover });
    await clock.run(lease.acquire(NEVER));
    clock.pass(1);
    const began = clock.now();
    await clock.run(lease.end());
    t.ok(clock.now() - began <= longestMs);
  }
});
