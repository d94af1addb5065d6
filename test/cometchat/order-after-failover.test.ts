import t from 'tap';
import type { Result } from '../../src/cometchat/call.ts';
import { type Lease, type Leased, leasesOf } from '../../src/cometchat/lease.ts';
import { CLIENT_GONE } from '../../src/cometchat/outcome.ts';
import { services } from '../helpers/room.ts';
import { type Failover, ScriptedRedis } from '../helpers/scripted-redis.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';
import type { History } from './order/history.ts';
import { simulate } from './order/simulation.ts';

// What Redis was told, and what it answered, can get lost in a failover.

const NEVER = new AbortController().signal;

/** Leases of one lane, each of another replica. */
function replicas(failover: Failover, latencyMs = 0) {
  const clock = new VirtualClock();
  const redis = new ScriptedRedis(clock, failover);
  const lease = (kind: Leased['kind']) => {
    const connection = redis.connection(() => latencyMs);
    return leasesOf(connection, 500, services(connection, { clock }))('lane', { kind, deadline: 60_000 });
  };
  return { clock, redis, lease };
}

t.test('a turn that ends in a failover is given back after that', async (t) => {
  const { clock, lease } = replicas({ fromMs: 5, forMs: 100 });
  const [ours, other] = [lease('replace'), lease('merge')];
  await clock.run(ours.acquire(NEVER));
  await clock.run(clock.wait(10));
  const over = ours.end();
  await clock.run(clock.wait(100));
  await clock.run(other.acquire(NEVER));
  t.ok(clock.now() < 150, `the other replica has it after ${clock.now()} ms`);
  await over;
});

t.test('a replace that comes in a failover has its place as soon as that is over', async (t) => {
  for (const [leavesAfter, version] of [
    [500, 1],
    [50, 0],
  ] as const) {
    const { clock, redis, lease } = replicas({ fromMs: 0, forMs: 100 });
    const client = new AbortController();
    clock.after(leavesAfter, () => client.abort(CLIENT_GONE));
    lease('replace').register(client.signal);
    await clock.run(clock.wait(130));
    t.equal(redis.number('write:', 'version'), version, 'unless its client has left');
  }
});

t.test('a write whose grant was lost on its way reads again', async (t) => {
  const { clock, lease } = replicas({ fromMs: 1703, forMs: 50 }, 1);
  const [ours, other] = [lease('merge'), lease('merge')];
  await clock.run(ours.acquire(NEVER));
  const read = ours.grant;
  // It holds its turn no longer, and another replica writes.
  await clock.run(clock.wait(1600 - clock.now()));
  await clock.run(other.acquire(NEVER));
  await clock.run(other.end());
  await clock.run(clock.wait(1701.5 - clock.now()));
  await clock.run(ours.acquire(NEVER));
  t.not(ours.grant, read);
  const again = ours.grant;
  await clock.run(ours.acquire(NEVER));
  t.equal(ours.grant, again, 'once');
});

const WRITE = { gapMs: 0, replica: 0, repeats: 0, leavesMs: null } as const;
const ADD = { kind: 'merge', add: ['b'], remove: [] } as const;
const REPLACE = { kind: 'replace', tags: ['a'] } as const;
const ended = ({ writes }: History) =>
  writes.map(({ result }) => {
    const { outcome } = result as Result<unknown>;
    return outcome.ok ? 'ok' : outcome.errorType;
  });

t.test('a write is not superseded by a replace that came to its replica before it', async (t) => {
  // Redis hears of the replace late, and of the merge only when it is back.
  const writes = [
    { ...WRITE, change: REPLACE },
    { ...WRITE, gapMs: 4, change: ADD },
  ];
  const history = await simulate(
    { writes, fates: [], latenciesMs: [9, 0, 0], chance: 0 },
    { replicas: 1, isShared: true, failover: { fromMs: 12, forMs: 100 } },
  );
  t.strictSame(ended(history), ['ok', 'ok']);
});

for (const kind of ['merge', 'replace'] as const) {
  t.test(
    `a ${kind} is not superseded by what came to its replica before the write that it follows`,
    async (t) => {
      const clock = new VirtualClock();
      // Redis hears of the first replace late, and of the writes after it only when it is back.
      const redis = new ScriptedRedis(clock, { fromMs: 7, forMs: 100 });
      const connection = redis.connection(() => (clock.now() < 10 ? 5 : 1));
      const leases = leasesOf(connection, 500, services(connection, { clock }));
      const [first, second, third] = (['replace', 'replace', kind] as const).map((kind) =>
        leases('lane', { kind, deadline: 60_000 }),
      ) as [Lease, Lease, Lease];
      second.follow(first);
      third.follow(second);
      const begun = first.acquire(NEVER);
      await clock.run(clock.wait(3));
      second.register();
      third.register();
      t.equal(await clock.run(begun), undefined);
      first.end();
      t.equal(await clock.run(third.acquire(NEVER)), undefined);
      t.ok(third.isHeld);
      redis.check();
    },
  );
}
