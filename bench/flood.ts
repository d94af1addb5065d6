import { randomBytes } from 'node:crypto';
import type { Running } from './contestants.ts';
import { type Answers, Load, type Request } from './load.ts';
import type { Results } from './results.ts';
import { latencyOf, percentiles, spreadOf } from './statistics.ts';
import { requestsOf } from './users.ts';

export const GOOD_PER_SECOND = 333;
export const FLOOD_PER_SECOND = 10_000;
const ROUNDS = 3;
export const FLOOD_SECONDS = 4;
/** Whoever floods with a good session has a few of them, or is an app that has gone wild on a few devices. */
const FLOODING_USERS = 10;
/** Compiled, and known for what they are. */
const WARM_UP = 10_000;

/** What is wrong with the requests of each flood. */
async function floods(): Promise<Record<string, () => Request>> {
  const signedIn = await requestsOf('flooding', FLOODING_USERS);
  const over = await requestsOf('over', FLOODING_USERS);
  return {
    'no session': () => ({ ...signedIn(), headers: { 'content-type': 'application/json' } }),
    'a forged session': () => {
      const { headers, ...request } = signedIn();
      const { authorization } = headers as Record<string, string>;
      // Another one each time: nothing that is cached helps.
      const forged = authorization?.replace(/[^.]+$/, randomBytes(32).toString('base64url'));
      return { ...request, headers: { 'content-type': 'application/json', authorization: forged } };
    },
    'a bad body': () => ({ ...signedIn(), body: '{"tags":"archived"}' }),
    'over their limit': over,
  };
}

/** Sends good requests, alone and beside a flood of bad ones, by turns. */
export async function withstandFloods(
  { origin, program }: Running,
  next: () => Request,
  say: (text: string) => void,
): Promise<Pick<Results, 'flood' | 'floodPerSecond'>> {
  const good = new Load(origin, next);
  await good.saturate(32, { requests: WARM_UP });
  const results: Record<string, Results['flood'][string]> = {};
  for (const [name, bad] of Object.entries(await floods())) {
    const flood = new Load(origin, bad);
    await flood.saturate(32, { requests: WARM_UP });
    const quiet: Answers[] = [];
    const flooded: Answers[] = [];
    const refused: Answers[] = [];
    const processor: number[] = [];
    for (let round = 1; round <= ROUNDS; round += 1) {
      say(`flood of requests with ${name}, round ${round} of ${ROUNDS}`);
      quiet.push(await good.arrive(GOOD_PER_SECOND, FLOOD_SECONDS));
      const before = { processor: program.cpuMicroseconds(), time: performance.now() };
      const [beside, bad] = await Promise.all([
        good.arrive(GOOD_PER_SECOND, FLOOD_SECONDS),
        flood.arrive(FLOOD_PER_SECOND, FLOOD_SECONDS),
      ]);
      const microseconds = (performance.now() - before.time) * 1000;
      processor.push((program.cpuMicroseconds() - before.processor) / microseconds);
      flooded.push(beside);
      refused.push(bad);
    }
    await flood.close();
    results[name] = {
      quiet: latencyOf(quiet.map(({ latencies }) => percentiles(latencies))),
      flooded: latencyOf(flooded.map(({ latencies }) => percentiles(latencies))),
      good: { sent: GOOD_PER_SECOND * FLOOD_SECONDS * ROUNDS, answered: total(flooded)['200'] ?? 0 },
      flood: total(refused),
      processor: spreadOf(processor),
    };
  }
  await good.close();
  return { flood: results, floodPerSecond: FLOOD_PER_SECOND };
}

function total(rounds: readonly Answers[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { statuses } of rounds) {
    for (const [status, count] of Object.entries(statuses)) sum[status] = (sum[status] ?? 0) + count;
  }
  return sum;
}
