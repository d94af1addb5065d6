import { FLOOD_SECONDS, FLOODING_USERS, GOOD_PER_SECOND } from './floods.ts';
import { entriesOf, inPercent, inWhole, table } from './format.ts';
import { CONNECTIONS, MOST_FAILED } from './load.ts';
import type { Picture } from './pictures.ts';
import { CONTESTANTS, type Results } from './results.ts';
import { FIRST_WARM_UP, SECONDS, WARM_UP } from './rounds.ts';
import {
  callsTable,
  floodTable,
  latencyTable,
  layersTable,
  saturationTable,
  sizeTable,
  startTable,
} from './tables.ts';
import { MEMORY_NOISE, type Target } from './targets.ts';
import { USERS } from './users.ts';

/** One sentence in each line: Markdown makes a paragraph of them. */
const lines = (...sentences: readonly string[]) => sentences.join('\n');

const picture = (pictures: readonly Picture[], file: string): string[] =>
  pictures.filter((one) => one.file === file).map(({ label }) => `![${label}](${file})`);

/** What is compared, and how. */
export const measuring = ({ rounds }: Results): string[] => [
  '## How it was measured',
  lines(
    'An app changes the tags of a conversation: it sends a PUT with the user’s session token, and CometChat gets a call with the API key.',
    'A direct call is what somebody who holds the key would send to CometChat; there is no hop. CometChat is a stand-in on the same machine, which answers at once with the documented body, without TLS. What the real CometChat and the network take comes on top for all alike.',
    'The three JavaScript peers do what a first version of such a service would: they check the token, name the user to CometChat, add the key, and answer with a smaller body. @fastify/reply-from passes the whole body through. None has rate limits, an order of writes, retries, a quota, metrics or a request log. nginx checks nothing: it only adds the key.',
    'The gateway has all its protections on. With Redis it also looks up revoked sessions, and shares limits, order and quota with its replicas. It remembers a token that it has verified; the peers verify it each time.',
  ),
  lines(
    `One processor is for what is measured, another for the load, the stand-in and Redis. There are ${rounds} rounds. All have their turn in each, ${SECONDS} seconds for each figure.`,
    `All are warmed up alike: with ${inWhole(FIRST_WARM_UP)} requests at first, and ${inWhole(WARM_UP)} more right before each figure.`,
    `The requests come from ${inWhole(USERS)} users in turn, with the same tokens for all. Each request is to be written: the gateway can join none to another one in flight, and none meets a rate limit.`,
    'Figures are medians of the rounds. The lowest and the highest round are in parentheses. A ratio is that of two medians: 0.50× is half as much.',
  ),
];

export function latencySection({ latency }: Results, pictures: readonly Picture[]): string[] {
  if (latency.length === 0) return [];
  return [
    '## Latency',
    lines(
      'Requests come at a constant rate, whether earlier ones have been answered or not, so that a queue shows.',
      'Latency is from the sending of a request to the last byte of its answer. Added is what is more than the direct call’s in the same round; a little less than nothing is the machine’s noise.',
    ),
    ...picture(pictures, 'latency.svg'),
    ...latency.flatMap((at) => [`### At ${inWhole(at.perSecond)} requests a second`, latencyTable(at)]),
  ];
}

export function saturationSection({ saturation, failed }: Results, pictures: readonly Picture[]): string[] {
  if (Object.keys(saturation).length === 0) return [];
  return [
    '## Saturation',
    lines(
      `${CONNECTIONS} connections each send their next request as soon as the last one has been answered. So each request waits for ${CONNECTIONS - 1} others, and the processor is never idle. Throughput and latency are from the same requests.`,
      'Processor time is that of the contestant’s own process, as the kernel counts it. A direct call has none.',
      'What the direct call and nginx reach is bounded by the load and the stand-in on the other processor, not by themselves.',
    ),
    ...picture(pictures, 'throughput.svg'),
    saturationTable({ saturation }),
    ...failedRequests(failed),
  ];
}

function failedRequests(failed: Results['failed']): string[] {
  const some = entriesOf(failed).filter(([, count]) => count > 0);
  if (some.length === 0) return ['All requests got a 200, at the constant rates too.'];
  const told = some.map(([name, count]) => `${CONTESTANTS[name]} (${inWhole(count)})`);
  return [
    lines(
      `Some requests did not get a 200, those at the constant rates counted, too: ${told.join(', ')}.`,
      `Where these were more than ${inPercent(MOST_FAILED)} of those for a figure, it was measured again.`,
    ),
  ];
}

export const callsSection = ({ calls }: Results): string[] =>
  Object.keys(calls).length > 0
    ? [
        '## The calls beside each other',
        lines(
          'All are calls of one gateway without Redis, each at saturation, in turn. A ratio is to the PUT of the same round.',
          'A PATCH makes two calls of CometChat: it reads the tags, and writes them. The stand-in’s list has 50 conversations as documented, each with its tags.',
        ),
        callsTable(calls),
      ]
    : [];

export function floodSection({ floods }: Results, pictures: readonly Picture[]): string[] {
  if (floods.length === 0) return [];
  const rates = [...new Set(floods.map(({ perSecond }) => perSecond))];
  return [
    '## Beside a flood',
    lines(
      `The gateway without Redis gets ${GOOD_PER_SECOND} good requests a second, for ${FLOOD_SECONDS} seconds alone (quiet), then for as long beside a flood of bad ones (flooded), in turn.`,
      `All requests of a flood have the same thing wrong. Those with a good session are of ${FLOODING_USERS} users. A flood has ${CONNECTIONS} connections of its own; what finds none free until the end is not sent.`,
      'A flood gets 401 for a missing or forged session, 400 for a bad body, and 429 once its user or its address is over the limit of the minute. Users get 200 until they are over their limit.',
      'Both loads and the stand-in share a processor, so some of what the good requests wait for is not the gateway’s.',
    ),
    ...picture(pictures, 'flood.svg'),
    ...rates.flatMap((rate) => [
      `### ${inWhole(rate)} bad requests a second`,
      floodTable(floods.filter(({ perSecond }) => perSecond === rate)),
    ]),
  ];
}

export function memorySection({ memory }: Results, pictures: readonly Picture[]): string[] {
  const last = memory.at(-1);
  if (!last) return [];
  const highest = Math.max(...memory.map(({ bytes }) => bytes));
  return [
    '## Memory',
    lines(
      `A fresh gateway without Redis answers ${inWhole(last.requests)} requests, on ${CONNECTIONS} connections that are never idle. Its resident memory is read ${memory.length} times on the way. It is ${inWhole(highest / 1e6)} MB at its highest; 1 MB is 1,000,000 bytes.`,
      `It is flat if the median of the last quarter of the samples is no higher than that of the second. The first quarter is warming up. ${inPercent(MEMORY_NOISE)} more are allowed, since memory pages come and go.`,
    ),
    ...picture(pictures, 'memory.svg'),
  ];
}

export const startSection = ({ start }: Results): string[] =>
  start
    ? [
        '## Start',
        'From the start of the process to its first answer that it is ready. The image brings the compiled code along, in Node.js’s compile cache.',
        startTable(start),
      ]
    : [];

export const sizeSection = ({ size }: Results): string[] =>
  size
    ? [
        '## Size of an answer',
        'One answer to the same write: from the stand-in with CometChat’s documented body, and from the gateway.',
        sizeTable(size),
      ]
    : [];

export function layersSection({ layers, saturation }: Results, pictures: readonly Picture[]): string[] {
  if (layers.length === 0) return [];
  return [
    '## Where a request’s processor time goes',
    lines(
      'V8’s sampling profiler looks at the saturated gateway without Redis. Each function counts for the part of the program that its file belongs to. Node.js’s own functions, and others that no part names, count for their caller.',
      'A profiler slows down what it looks at. So only the shares are its own; the microseconds are those shares of a request’s processor time without it.',
    ),
    ...picture(pictures, 'layers.svg'),
    layersTable(layers, saturation.gateway?.processorMicroseconds.median),
  ];
}

export function targetsSection(results: Results, targets: readonly Target[]): string[] {
  if (targets.length === 0) return [];
  const rows = targets.map(({ wanted, result, missedBy }) => [
    wanted,
    result,
    missedBy === undefined ? 'held' : `**missed** by ${missedBy}`,
  ]);
  const missed = targets.filter(({ missedBy }) => missedBy !== undefined);
  const verdict = missed.length === 0 ? 'All are held.' : `${missed.length} of ${targets.length} are missed.`;
  return [
    '## What we want of it',
    `These are the gateway’s targets. Each is held or missed by the medians of this one run. ${verdict}`,
    table(['target', 'measured', 'held or missed'], rows, '---'),
    ...(missed.length > 0 ? whereTimeGoes(results) : []),
  ];
}

/** Where to look first for what was missed. */
function whereTimeGoes({ layers, floods }: Results): string[] {
  const most = layers.slice(0, 5).map(({ name, share }) => `${name} (${inPercent(share)})`);
  const busy = floods.map(({ processor }) => processor.median);
  return [
    ...(most.length > 0 ? [`Most of a request’s processor time goes to ${most.join(', ')}.`] : []),
    ...(busy.length > 0
      ? [
          `Beside the floods the gateway used ${inPercent(Math.min(...busy))} to ${inPercent(Math.max(...busy))} of its processor.`,
        ]
      : []),
  ];
}
