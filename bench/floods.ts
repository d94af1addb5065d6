import { randomBytes } from 'node:crypto';
import type { Running } from './contestants.ts';
import { type Answers, Load, type Request } from './load.ts';
import type { Flood, GoodRequests } from './results.ts';
import { latencyOf, percentiles, spreadOf } from './statistics.ts';
import { requestsOf } from './users.ts';

export const GOOD_PER_SECOND = 333;
export const FLOODS_PER_SECOND = [2500, 5000, 10_000] as const;
export const FLOOD_SECONDS = 3;
/** Whoever floods with a good session has a few of them, or is an app that has gone wild on a few devices. */
export const FLOODING_USERS = 10;
/** Enough that the code of each refusal is compiled, and that the limits are reached. */
const WARM_UP = 30_000;

/** What is wrong with the requests of each flood. */
async function kindsOfFlood(): Promise<Record<string, () => Request>> {
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

interface Pair {
  readonly quiet: Answers;
  readonly flooded: Answers;
  readonly bad: Answers;
  readonly processor: number;
}

/** Sends good requests to a gateway, alone and beside a flood of bad ones, in turn. */
export async function withstandFloods(
  gateway: Running,
  next: () => Request,
  rounds: number,
  say: (text: string) => void,
): Promise<Flood[]> {
  const good = new Load(gateway.origin, next);
  await good.saturate({ requests: WARM_UP });
  const results = new Map<number, Flood[]>(FLOODS_PER_SECOND.map((rate) => [rate, []]));
  for (const [kind, nextBad] of Object.entries(await kindsOfFlood())) {
    const bad = new Load(gateway.origin, nextBad);
    await bad.saturate({ requests: WARM_UP });
    const pairs = new Map<number, Pair[]>(FLOODS_PER_SECOND.map((rate) => [rate, []]));
    for (let round = 1; round <= rounds; round += 1) {
      say(`flood, ${kind}: round ${round} of ${rounds}`);
      for (const rate of FLOODS_PER_SECOND) pairs.get(rate)?.push(await measure(gateway, good, bad, rate));
    }
    await bad.close();
    for (const rate of FLOODS_PER_SECOND) results.get(rate)?.push(summary(kind, rate, pairs.get(rate) ?? []));
  }
  await good.close();
  return [...results.values()].flat();
}

async function measure({ program }: Running, good: Load, bad: Load, rate: number): Promise<Pair> {
  const quiet = await good.arrive(GOOD_PER_SECOND, FLOOD_SECONDS);
  const before = { processor: program.cpuMicroseconds(), time: performance.now() };
  const [flooded, refused] = await Promise.all([
    good.arrive(GOOD_PER_SECOND, FLOOD_SECONDS),
    bad.flood(rate, FLOOD_SECONDS),
  ]);
  const microseconds = (performance.now() - before.time) * 1000;
  const processor = (program.cpuMicroseconds() - before.processor) / microseconds;
  return { quiet, flooded, bad: refused, processor };
}

function summary(kind: string, perSecond: number, pairs: readonly Pair[]): Flood {
  const quiet = pairs.map((pair) => pair.quiet);
  const flooded = pairs.map((pair) => pair.flooded);
  const bad = pairs.map((pair) => pair.bad);
  return {
    kind,
    perSecond,
    quiet: goodOf(quiet),
    flooded: goodOf(flooded),
    bad: {
      due: perSecond * FLOOD_SECONDS * pairs.length,
      sent: sentOf(bad),
      statuses: statusesOf(bad),
    },
    processor: spreadOf(pairs.map(({ processor }) => processor)),
  };
}

const goodOf = (rounds: readonly Answers[]): GoodRequests => ({
  ...latencyOf(rounds.map(({ latencies }) => percentiles(latencies))),
  sent: sentOf(rounds),
  answered: statusesOf(rounds)['200'] ?? 0,
});

const sentOf = (rounds: readonly Answers[]): number => rounds.reduce((sum, { sent }) => sum + sent, 0);

function statusesOf(rounds: readonly Answers[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { statuses } of rounds) {
    for (const [status, count] of Object.entries(statuses)) sum[status] = (sum[status] ?? 0) + count;
  }
  return sum;
}
