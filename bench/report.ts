import { FLOOD_SECONDS, GOOD_PER_SECOND } from './flood.ts';
import { gaps } from './gaps.ts';
import { picturesOf } from './pictures.ts';
import type { Results } from './results.ts';
import { CONNECTIONS, ROUNDS, SECONDS } from './rounds.ts';
import {
  bytesTable,
  floodTable,
  inMs,
  inPercent,
  inWhole,
  latencyTable,
  overviewTable,
  sorted,
  sumOf,
  table,
  throughputTable,
  toPeers,
  withSpread,
} from './tables.ts';
import { targetsOf, targetsTable } from './targets.ts';

/** The whole of bench/RESULTS.md. */
export function report(results: Results): string {
  const pictures = new Map(picturesOf(results, targetsOf(results)).map((picture) => [picture.file, picture]));
  const picture = (file: string) => {
    const found = pictures.get(file);
    return found ? [`![${found.label}](${file})`] : [];
  };
  const { latency, flood, floodPerSecond, memory, start, missing, layers } = results;
  const requests = memory.at(-1)?.requests ?? 0;
  const toReplyFrom = toPeers(results, ['reply-from']);
  const blocks = [
    '# What the extra hop costs',
    summary(results),
    `[How it is measured, and what was tried](README.md). Written by \`npm run bench\`, which took ${inWhole(results.seconds / 60)} minutes; do not edit.`,
    '## Targets',
    'Held or missed by the medians. The lowest and the highest of the rounds are in parentheses.',
    targetsTable(targetsOf(results)),
    ...(toReplyFrom
      ? [`No target, but told: the gateway has ${toReplyFrom}, which passes the whole body through.`]
      : []),
    ...withTitle('### What the missed ones would take', gaps(results, targetsOf(results))),
    '## What is compared',
    COMPARED,
    '## Latency',
    LATENCY,
    ...picture('latency.svg'),
    ...latency.flatMap((at) => [`### At ${inWhole(at.perSecond)} requests a second`, latencyTable(at)]),
    '## Throughput',
    THROUGHPUT,
    ...picture('throughput.svg'),
    throughputTable(results),
    '## Under a flood',
    lines(
      `Good requests, ${GOOD_PER_SECOND} a second, come to the gateway without Redis, for ${FLOOD_SECONDS} seconds alone (quiet), then for as long beside a flood.`,
      `The flood is ${inWhole(floodPerSecond)} requests a second, in an open loop too, all with the same thing wrong. Quiet and flooded take turns.`,
      'Load, flood and the stand-in share a processor, so some of what the good requests wait for there is not the gateway’s.',
    ),
    ...picture('flood.svg'),
    ...(Object.keys(flood).length > 0 ? [floodTable(results)] : []),
    '## Memory',
    lines(
      `A fresh gateway without Redis answers ${inWhole(requests)} requests in a closed loop of 32 connections. Its resident memory is read ${inWhole(memory.length)} times on the way; 1 MB is 1,000,000 bytes.`,
      'It is flat if the median of the last quarter of the samples is no higher than that of the second. The first quarter is warming up. 2 % more are allowed, since memory pages come and go.',
    ),
    ...picture('memory.svg'),
    '## Start',
    'From the start of the process to the first answer that it is ready. The image brings the compiled code along (cached).',
    table(
      ['start', 'ms'],
      [
        ['cached, as in the image', withSpread(start.cached, inWhole)],
        ['without the cache', withSpread(start.uncached, inWhole)],
      ],
    ),
    '## Size of an answer',
    'One answer to the same write, from the stand-in with CometChat’s documented body, and from the gateway.',
    bytesTable(results),
    ...(layers.length > 0 ? ['## Where a request’s microseconds go', LAYERS] : []),
    ...picture('layers.svg'),
    ...(layers.length > 0 ? [layersTable(layers)] : []),
    ...(missing.length > 0 ? ['## Not measured', missing.map((one) => `- ${one}`).join('\n')] : []),
    '## Machine and versions',
    table(['machine', ''], results.machine, '---'),
    table(['program', 'version'], results.versions, '---'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** What README.md shows of it, and what RESULTS.md begins with; without links, since they are in two folders. */
export function summary(results: Results): string {
  const { latency, throughput, date } = results;
  const added = latency.flatMap(({ perSecond, of: { gateway } }, index) => {
    if (!gateway) return [];
    const { p50, p99 } = gateway.added;
    const [first, second] = [inMs(p50.median), inMs(p99.median)];
    return index === 0
      ? `${first} ms (p50) and ${second} ms (p99) to a direct call at ${inWhole(perSecond)} requests/s`
      : `${first} and ${second} ms at ${inWhole(perSecond)}`;
  });
  const { gateway } = throughput;
  const compared = toPeers(results, ['express-axios', 'hono-fetch', 'reply-from']);
  const targets = targetsOf(results);
  const missed = targets.filter(({ missedBy }) => missedBy !== undefined);
  const held =
    missed.length === 0 ? `All ${targets.length}` : `${targets.length - missed.length} of ${targets.length}`;
  return [
    lines(
      ...(added.length > 0 ? [`**The extra hop through the gateway adds ${added.join(', ')}.**`] : []),
      ...(gateway
        ? [
            `One processor answers ${inWhole(gateway.perSecond.median)} requests/s, at ${inWhole(gateway.processorMicroseconds.median)} µs each${compared ? `: ${compared}` : ''}.`,
          ]
        : []),
      `${held} targets are held.${missed.length > 0 ? ` Missed: ${missed.map(({ about, missedBy }) => `${about} (by ${missedBy})`).join('; ')}.` : ''}`,
    ),
    overviewTable(results),
    `Medians, measured on ${date}. The peers and nginx have none of the gateway’s protections; the direct call has no hop.`,
  ].join('\n\n');
}

/** The charts that RESULTS.md shows, by the names of their files beside it. */
export const charts = (results: Results): Record<string, string> =>
  Object.fromEntries(picturesOf(results, targetsOf(results)).map(({ file, svg }) => [file, svg]));

const withTitle = (title: string, blocks: readonly string[]) => (blocks.length > 0 ? [title, ...blocks] : []);

/** One sentence in each line: Markdown makes a paragraph of them. */
const lines = (...sentences: readonly string[]) => sentences.join('\n');

const COMPARED = lines(
  'An app changes the tags of a conversation: a PUT with the user’s session token, which becomes a call of CometChat with the API key.',
  'A direct call is what somebody who holds the key would make; the hop is not there. CometChat is a stand-in on the same machine that answers at once with the documented body, without TLS. What CometChat and the network take comes on top, for all of them alike.',
  'The JavaScript peers do what a first version of such a service would: they check the token, map the user, call with the key and slim the body, but @fastify/reply-from passes the whole body through. None has rate limits, an order of writes, retries, a quota, metrics or a request log. nginx checks nothing: it only puts the key on.',
  'The gateway runs with all its protections on. With Redis it also looks up revoked sessions, and shares limits, order and quota with its replicas.',
  `One processor is for what is measured, another for the load, the stand-in and Redis. There are ${ROUNDS} rounds, interleaved: each contestant has its turn in every round, ${SECONDS} seconds for each figure. Figures are medians of the rounds, with lowest–highest in parentheses. A ratio is that of two medians: 0.50× is half as much.`,
);

const LATENCY = lines(
  'An open loop with constant arrival: each request is sent at its time, whether earlier ones have been answered or not, so that a queue shows.',
  'Latency is from the sending of a request to the last byte of its answer. Added is what is more than the direct call’s in the same round; a little less than nothing is the machine’s noise.',
);

const THROUGHPUT = lines(
  `A closed loop with ${CONNECTIONS} connections: each sends its next request as soon as the last one has been answered.`,
  'What the direct call and nginx reach is bounded by the load generator and the stand-in on the other processor, not by themselves. So the ratios to these two may look better than they are.',
  'Processor time is that of the contestant’s own process, as the kernel counts it. Of a direct call there is none.',
);

const LAYERS = lines(
  'A sampling profile of the gateway without Redis, in a closed loop of 32 connections. Each function counts for the layer that its file belongs to; Node.js’s own functions and others count for whoever has called them.',
  'A profiler slows down what it looks at, so the shares are its, and the sum is the processor time of a request without it.',
);

function layersTable(layers: Results['layers']): string {
  const whole = sumOf(layers);
  const row = (name: string, microseconds: number) => [
    name,
    inWhole(microseconds),
    inPercent(microseconds / whole),
  ];
  const rows = sorted(layers).map(({ name, microseconds }) => row(name, microseconds));
  return table(['layer', 'µs', 'of all'], [...rows, row('**in all**', whole)]);
}
