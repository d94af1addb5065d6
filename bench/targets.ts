import { CONTESTANTS, type Contestant, type Results } from './results.ts';
import { spreadOf } from './statistics.ts';
import { entriesOf, inMb, inMs, inPercent, inTimes, inWhole, table, withSpread } from './tables.ts';

export const MOST_FLOODED = 3;
export const MOST_MEMORY_BYTES = 150e6;
const PEERS: readonly Contestant[] = ['reply-from', 'hono-fetch', 'express-axios'];
const LEAST_THROUGHPUT = { 'express-axios': 2, 'hono-fetch': 1 } as const;
/** Memory pages come and go. */
const MEMORY_NOISE = 0.02;
const MOST_START_MS = 500;
const LEAST_SMALLER = 4;

/** What was wanted, and what has come of it. */
export interface Target {
  /** As in `latency 333`, for whoever draws it. */
  readonly id: string;
  /** In a few words, for a list. */
  readonly about: string;
  readonly wanted: string;
  readonly result: string;
  /** By how much it is missed; undefined when it is held. */
  readonly missedBy: string | undefined;
}

/** @returns all targets whose figures have been measured, held or missed by the medians */
export const targetsOf = (results: Results): Target[] => [
  ...results.latency.flatMap(latencyTarget),
  ...throughputTargets(results),
  ...floodTargets(results),
  ...memoryTargets(results),
  ...lastTargets(results),
];

/** @returns whether a target is missed */
export const isMissed = (targets: readonly Target[], id: string): boolean =>
  targets.some((target) => target.id === id && target.missedBy !== undefined);

/** @returns the targets as a table */
export function targetsTable(targets: readonly Target[]): string {
  const rows = targets.map(({ wanted, result, missedBy }) => [
    wanted,
    result,
    missedBy === undefined ? 'held' : `**missed** by ${missedBy}`,
  ]);
  return table(['target', 'result', ''], rows, '---');
}

/** @returns the second and the last quarter of the samples of memory: their medians, in bytes */
export function memoryQuarters(memory: Results['memory']): { second: number; last: number } | undefined {
  const quarter = memory.length / 4;
  if (quarter < 1) return undefined;
  const median = (from: number, to: number) =>
    spreadOf(memory.slice(Math.floor(from * quarter), Math.floor(to * quarter)).map(({ bytes }) => bytes))
      .median;
  return { second: median(1, 2), last: median(3, 4) };
}

/** What is too much, so that it never looks like nothing. */
function excess(amount: number, format: (value: number) => string, least: number): string | undefined {
  if (amount <= 0) return undefined;
  return amount < least ? `less than ${format(least)}` : format(amount);
}

const milliseconds = (value: number) => `${inMs(value)} ms`;
const megabytes = (bytes: number) => `${inMb(bytes)} MB`;

function latencyTarget({ perSecond, of }: Results['latency'][number]): Target[] {
  const rivals = entriesOf(of).filter(([name]) => PEERS.includes(name));
  const [least] = rivals.sort(([, a], [, b]) => a.added.p99.median - b.added.p99.median);
  if (!of.gateway || !least) return [];
  const [rival, { added }] = least;
  const { p99 } = of.gateway.added;
  return [
    {
      id: `latency ${perSecond}`,
      about: `p99 added at ${inWhole(perSecond)}/s`,
      wanted: `p99 added at ${inWhole(perSecond)} requests/s: no more than any of the JavaScript peers`,
      result: `${withSpread(p99, inMs, ' ms')}; the least of them: ${withSpread(added.p99, inMs, ' ms')}, ${CONTESTANTS[rival]}`,
      missedBy: excess(p99.median - added.p99.median, milliseconds, 0.01),
    },
  ];
}

function throughputTargets({ throughput }: Results): Target[] {
  const ours = throughput.gateway?.perSecond;
  return Object.entries(LEAST_THROUGHPUT).flatMap(([name, least]) => {
    const theirs = throughput[name as keyof typeof LEAST_THROUGHPUT]?.perSecond;
    if (!ours || !theirs) return [];
    const ratio = ours.median / theirs.median;
    const title = CONTESTANTS[name as keyof typeof LEAST_THROUGHPUT];
    return {
      id: `throughput ${name}`,
      about: `throughput against ${title}`,
      wanted: `throughput: at least ${least}× ${title}`,
      result: `${inTimes(ratio)}: ${withSpread(ours, inWhole)} to ${withSpread(theirs, inWhole)} requests/s`,
      missedBy: excess(least - ratio, inTimes, 0.01),
    };
  });
}

const floodTargets = ({ flood }: Results): Target[] =>
  Object.entries(flood).map(([kind, { quiet, flooded, good }]) => {
    const ratio = flooded.p99.median / quiet.p99.median;
    const unanswered = good.sent - good.answered;
    const slower = excess(ratio - MOST_FLOODED, inTimes, 0.01);
    const lost = unanswered > 0 ? `${inWhole(unanswered)} good requests not answered` : undefined;
    return {
      id: `flood ${kind}`,
      about: `flood, ${kind}`,
      wanted: `flood, ${kind}: all good requests answered, p99 at most ${MOST_FLOODED}× the quiet one`,
      result: `${inWhole(good.answered)} of ${inWhole(good.sent)}; ${milliseconds(quiet.p99.median)} quiet, ${milliseconds(flooded.p99.median)} flooded: ${inTimes(ratio)}`,
      missedBy: [lost, slower].filter((part) => part !== undefined).join(' and ') || undefined,
    };
  });

function memoryTargets({ memory }: Results): Target[] {
  const quarters = memoryQuarters(memory);
  if (!quarters) return [];
  const { second, last } = quarters;
  const highest = Math.max(...memory.map(({ bytes }) => bytes));
  return [
    {
      id: 'memory flat',
      about: 'memory flat',
      wanted: `memory flat: the median of the last quarter no higher than the second’s, with ${inPercent(MEMORY_NOISE)} for noise`,
      result: `${megabytes(last)} to ${megabytes(second)}: ${inTimes(last / second)}`,
      missedBy: excess(last - second * (1 + MEMORY_NOISE), megabytes, 0.1e6),
    },
    {
      id: 'memory highest',
      about: 'highest memory',
      wanted: `memory under ${inWhole(MOST_MEMORY_BYTES / 1e6)} MB, at its highest`,
      result: megabytes(highest),
      missedBy: excess(highest - MOST_MEMORY_BYTES, megabytes, 0.1e6),
    },
  ];
}

function lastTargets({ start: { cached, uncached }, bytes: { cometchat, client } }: Results): Target[] {
  const whole = (value: number) => `${inWhole(value)} ms`;
  const smaller = cometchat.body / client.body;
  return [
    {
      id: 'start',
      about: 'start',
      wanted: `start under ${whole(MOST_START_MS)}, with the compile cache of the image`,
      result: `${withSpread(cached, inWhole, ' ms')}; without the cache ${withSpread(uncached, inWhole, ' ms')}`,
      missedBy: excess(cached.median - MOST_START_MS, whole, 1),
    },
    {
      id: 'bytes',
      about: 'size of the body',
      wanted: `body at least ${LEAST_SMALLER}× smaller than CometChat’s`,
      result: `${inTimes(smaller)}: ${inWhole(client.body)} bytes to ${inWhole(cometchat.body)}`,
      missedBy: excess(LEAST_SMALLER - smaller, inTimes, 0.01),
    },
  ];
}
