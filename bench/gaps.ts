import type { Results } from './results.ts';
import { inPercent, inTimes, inWhole, sumOf } from './tables.ts';
import { isMissed, type Target } from './targets.ts';

const CLIENT = ['got', 'Node.js: HTTP client, with its socket'];

/** What each kind of missed target would take, from the figures of the run; empty where none is missed. */
export function gaps(
  results: Pick<Results, 'layers' | 'throughput' | 'flood'>,
  targets: readonly Target[],
): string[] {
  const missed = (prefix: string) => targets.some(({ id }) => id.startsWith(prefix) && isMissed(targets, id));
  return [
    ...(missed('throughput') || missed('latency') ? throughputGap(results) : []),
    ...(missed('flood') ? floodGap(results) : []),
  ];
}

function throughputGap({ layers, throughput }: Pick<Results, 'layers' | 'throughput'>): string[] {
  const whole = sumOf(layers);
  const got = sumOf(layers.filter(({ name }) => name === 'got'));
  const client = sumOf(layers.filter(({ name }) => CLIENT.includes(name)));
  const peer = throughput['express-axios']?.processorMicroseconds.median;
  if (whole === 0 || !peer) return [];
  return [
    [
      `**Throughput and latency.** Of ${inWhole(whole)} µs, ${inWhole(client)} (${inPercent(client / whole)}) are the call to CometChat by got, ${inWhole(got)} of them in got itself beside Node.js’s own client, its garbage not counted; @fastify/reply-from and fetch call by undici, which does without most of that.`,
      `Twice Express + axios + jsonwebtoken would be ${inWhole(peer / 2)} µs a request. Were got for nothing, ${inWhole(whole - got)} would be left: ${inTimes(peer / (whole - got))}.`,
      'So it would take another HTTP client, and much less of what is done beside the call.',
    ].join('\n'),
  ];
}

function floodGap({ flood }: Pick<Results, 'flood'>): string[] {
  const shares = Object.values(flood).map(({ processor }) => processor.median);
  return [
    [
      `**Floods.** No good request is lost, but each waits in the queue of a processor that is busy for ${inPercent(Math.min(...shares))} to ${inPercent(Math.max(...shares))} of the time: a request takes several turns of the event loop, and each turn comes after the refusals that arrived before it.`,
      'Most of a refusal is reading it, Fastify’s way through its hooks and writing the answer; a forged session costs an HMAC more. Three times the quiet p99 would take refusals at half of that price: a second replica, or a limit in the load balancer, which should be there anyway.',
    ].join('\n'),
  ];
}
