import type { Test } from 'tap';
import { type Clock, MACHINE_CLOCK } from '../../src/base/clock.ts';
import { type Leased, leasesOf } from '../../src/cometchat/lease.ts';
import type { RedisServer } from '../helpers/redis.ts';
import { services } from '../helpers/room.ts';

interface Options {
  /** How long its attempts take at most. */
  readonly attemptMs?: number;
  readonly clock?: Clock;
}

/** Makes the leases of a replica, all for one lane. Their writes may be sent for so long. */
export async function leasesAt(
  t: Test,
  server: RedisServer,
  { attemptMs = 500, clock = MACHINE_CLOCK }: Options = {},
) {
  const redis = await server.client(t);
  const around = services(redis, { clock });
  const leaseOf = leasesOf(redis, attemptMs, around);
  const lease = (kind: Leased['kind'] = 'replace', leftMs = 60_000) =>
    leaseOf('lane', { kind, deadline: clock.now() + leftMs });
  return { redis, metrics: around.metrics, lease };
}
