import { floodTargets } from './flood-targets.ts';
import {
  entriesOf,
  excess,
  inMb,
  inMs,
  inPercent,
  inTimes,
  inWhole,
  milliseconds,
  ratio,
  withSpread,
} from './format.ts';
import { memoryQuarters } from './memory.ts';
import { CONTESTANTS, type Contestant, type Measured, type Spread } from './results.ts';

const PEERS: readonly Contestant[] = ['reply-from', 'hono-fetch', 'express-axios'];
const LEAST_THROUGHPUT = [
  ['express-axios', 2.2, ''],
  ['hono-fetch', 1.3, ''],
  ['reply-from', 0.5, ' (0.6× would be better)'],
] as const;
const MOST_BEHIND_REPLY_FROM_MS = 0.3;
const MOST_SATURATED = 2;
const MOST_PATCH = 2;
const MOST_REDIS_MS = 0.6;
/** Memory pages come and go. */
export const MEMORY_NOISE = 0.02;
export const MOST_MEMORY_BYTES = 300e6;
const MOST_START_MS = 450;
const LEAST_SMALLER = 4;

/** What is wanted, and what was measured. */
export interface Target {
  /** As in `latency 333`, for whoever draws it. */
  readonly id: string;
  readonly wanted: string;
  readonly result: string;
  /** By how much it is missed; undefined when it is held. */
  readonly missedBy: string | undefined;
}

/** @returns all targets whose figures have been measured, held or missed by the medians */
export const targetsOf = (measured: Measured): Target[] => [
  ...throughputTargets(measured),
  ...measured.latency.flatMap(latencyTarget),
  ...saturationTarget(measured),
  ...patchTarget(measured),
  ...floodTargets(measured.floods),
  ...redisTarget(measured),
  ...memoryTargets(measured),
  ...startTarget(measured),
  ...sizeTarget(measured),
];

/** @returns whether a target is missed */
export const isMissed = (targets: readonly Target[], id: string): boolean =>
  targets.some((target) => target.id === id && target.missedBy !== undefined);

const wholeMs = (value: number) => `${inWhole(value)} ms`;
const megabytes = (bytes: number) => `${inMb(bytes)} MB`;
const inMilliseconds = (spread: Spread) => withSpread(spread, inMs, ' ms');

const throughputTargets = ({ saturation }: Measured): Target[] =>
  LEAST_THROUGHPUT.flatMap(([name, least, better]) => {
    const ours = saturation.gateway?.perSecond;
    const theirs = saturation[name]?.perSecond;
    if (!ours || !theirs) return [];
    return {
      id: `throughput ${name}`,
      wanted: `Requests/s: at least ${least}× those of ${CONTESTANTS[name]}${better}`,
      result: `${ratio(ours, theirs)}: ${withSpread(ours, inWhole)} to ${withSpread(theirs, inWhole)}`,
      missedBy: excess(least - ours.median / theirs.median, inTimes, 0.01),
    };
  });

/** At the lowest rate the gateway is to be as good as the best peer, at others nearly as good as reply-from. */
function latencyTarget({ perSecond, of }: Measured['latency'][number], index: number): Target[] {
  const isFirst = index === 0;
  const rivals = entriesOf(of).filter(([name]) => (isFirst ? PEERS.includes(name) : name === 'reply-from'));
  const [least] = rivals.sort(([, a], [, b]) => a.added.p99.median - b.added.p99.median);
  if (!of.gateway || !least) return [];
  const [rival, { added }] = least;
  const { p99 } = of.gateway.added;
  const most = isFirst ? 0 : MOST_BEHIND_REPLY_FROM_MS;
  const wanted = isFirst
    ? 'no more than any of the JavaScript peers adds'
    : `at most ${MOST_BEHIND_REPLY_FROM_MS} ms more than ${CONTESTANTS['reply-from']} adds`;
  return [
    {
      id: `latency ${perSecond}`,
      wanted: `p99 added at ${inWhole(perSecond)} requests/s: ${wanted}`,
      result: `${inMilliseconds(p99)}; ${CONTESTANTS[rival]}: ${inMilliseconds(added.p99)}`,
      missedBy: excess(p99.median - added.p99.median - most, milliseconds, 0.01),
    },
  ];
}

function saturationTarget({ saturation }: Measured): Target[] {
  const ours = saturation.gateway?.p99;
  const theirs = saturation['reply-from']?.p99;
  if (!ours || !theirs) return [];
  return [
    {
      id: 'saturation',
      wanted: `p99 at saturation: at most ${MOST_SATURATED}× that of ${CONTESTANTS['reply-from']}`,
      result: `${ratio(ours, theirs)}: ${inMilliseconds(ours)} to ${inMilliseconds(theirs)}`,
      missedBy: excess(ours.median / theirs.median - MOST_SATURATED, inTimes, 0.01),
    },
  ];
}

function patchTarget({ calls: { PATCH: patch, PUT: put } }: Measured): Target[] {
  if (!patch || !put) return [];
  const { processor } = patch.toPut;
  return [
    {
      id: 'patch',
      wanted: `Processor time of a PATCH: at most ${MOST_PATCH}× that of a PUT`,
      result: `${withSpread(processor, inTimes)}: ${inWhole(patch.processorMicroseconds.median)} µs to ${inWhole(put.processorMicroseconds.median)} µs`,
      missedBy: excess(processor.median - MOST_PATCH, inTimes, 0.01),
    },
  ];
}

function redisTarget({ latency: [first] }: Measured): Target[] {
  const p50 = first?.of['gateway-redis']?.added.p50;
  if (!first || !p50) return [];
  return [
    {
      id: 'redis',
      wanted: `With Redis, p50 added at ${inWhole(first.perSecond)} requests/s: at most ${MOST_REDIS_MS} ms`,
      result: inMilliseconds(p50),
      missedBy: excess(p50.median - MOST_REDIS_MS, milliseconds, 0.01),
    },
  ];
}

function memoryTargets({ memory }: Measured): Target[] {
  const quarters = memoryQuarters(memory);
  if (!quarters) return [];
  const { second, last } = quarters;
  const highest = Math.max(...memory.map(({ bytes }) => bytes));
  return [
    {
      id: 'memory flat',
      wanted: `Memory flat: in the last quarter of the requests at most ${inPercent(MEMORY_NOISE)} higher than in the second`,
      result: `${inTimes(last / second)}: ${megabytes(last)} to ${megabytes(second)}`,
      missedBy: excess(last - second * (1 + MEMORY_NOISE), megabytes, 0.1e6),
    },
    {
      id: 'memory highest',
      wanted: `Memory at its highest: under ${inWhole(MOST_MEMORY_BYTES / 1e6)} MB`,
      result: megabytes(highest),
      missedBy: excess(highest - MOST_MEMORY_BYTES, megabytes, 0.1e6),
    },
  ];
}

const startTarget = ({ start }: Measured): Target[] =>
  start
    ? [
        {
          id: 'start',
          wanted: `Start with the compile cache: under ${wholeMs(MOST_START_MS)}`,
          result: withSpread(start.cached, inWhole, ' ms'),
          missedBy: excess(start.cached.median - MOST_START_MS, wholeMs, 1),
        },
      ]
    : [];

function sizeTarget({ size }: Measured): Target[] {
  if (!size) return [];
  const smaller = size.cometchat.body / size.client.body;
  return [
    {
      id: 'size',
      wanted: `Body: at least ${LEAST_SMALLER}× smaller than CometChat’s`,
      result: `${inTimes(smaller)}: ${inWhole(size.client.body)} bytes to ${inWhole(size.cometchat.body)}`,
      missedBy: excess(LEAST_SMALLER - smaller, inTimes, 0.01),
    },
  ];
}
