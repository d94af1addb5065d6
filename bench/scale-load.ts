import { inMb, inPercent, inWhole, NONE, table } from './format.ts';
import type { Saturated, Scale } from './scale-results.ts';

/** CometChat's quota, ten times that and a hundred times. */
const TIMES = [1, 10, 100] as const;
const CALLS_PER_MINUTE = 20_000;
/** Counts live for two minutes after the one that they are of. */
const MINUTES_KEPT = 3;
/** COMETCHAT_MAX_CONCURRENCY, and how long CometChat may take. */
const SLOTS = 256;
const COMETCHAT_MS = 50;

/** @returns how many a second take a whole processor of Redis' */
export const carriedBy = ({ perSecond, processor }: Saturated): number => perSecond.median / processor.median;

/** What so many PUTs need of each part, from what one was measured to need. */
export function loadTable(scale: Scale): string {
  const { PUT: put } = scale.requests;
  const bytesOf = (name: string) => scale.state.findLast((one) => one.name.startsWith(name));
  const lane = bytesOf('a lane');
  const user = bytesOf('a user of a minute');
  const [whole, counts] = scale.saturation;
  if (!put || !lane || !user || !whole || !counts) return '';
  const rows: readonly (readonly [string, (perSecond: number) => string])[] = [
    ['users a minute', (rate) => inWhole(rate * 60)],
    ['replicas, each with a whole processor', (rate) => atLeast(rate / put.perSecond.median)],
    [
      `replicas for ${SLOTS} calls at once each, of ${COMETCHAT_MS} ms`,
      (rate) => atLeast((rate * COMETCHAT_MS) / 1000 / SLOTS),
    ],
    ['processor of Redis', (rate) => inPercent(rate / carriedBy(whole))],
    [
      'in a Cluster: processor of the node that has the counts',
      (rate) => inPercent(rate / carriedBy(counts)),
    ],
    ['to Redis, Mbit/s', (rate) => inWhole((rate * put.bytesIn * 8) / 1e6)],
    ['to Redis’ file and to each replica of it, MB/s', (rate) => inMb(rate * put.bytesAppended)],
    ['memory of Redis for lanes, MB', (rate) => inMb(rate * (lane.keptSeconds ?? 0) * lane.bytes)],
    ['memory of Redis for counts, MB', (rate) => inMb(rate * 60 * MINUTES_KEPT * user.bytes)],
    ['Redis serves nobody at the end of a minute, twice, ms', (rate) => stopAt(scale, rate * 60, 'ms')],
    ['the same with `lazyfree-lazy-expire yes`, ms', (rate) => stopAt(scale, rate * 60, 'lazyMs')],
    ['log of all replicas, MB/s', (rate) => inMb(rate * put.bytesLogged)],
  ];
  const head = TIMES.map((times) => `${times}×: ${inWhole((times * CALLS_PER_MINUTE) / 60)} calls/s`);
  return table(
    ['needed', ...head],
    rows.map(([name, needed]) => [name, ...TIMES.map((times) => needed((times * CALLS_PER_MINUTE) / 60))]),
  );
}

const atLeast = (parts: number): string => inWhole(Math.ceil(parts));

function stopAt({ drops }: Scale, users: number, of: 'ms' | 'lazyMs'): string {
  const drop = drops.find((one) => one.users === Math.round(users));
  return drop ? inWhole(drop[of]) : NONE;
}
