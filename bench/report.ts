import { barChart, COLOURS, lineChart } from './chart.ts';
import { CONTESTANTS, type Contestant, type Results } from './results.ts';
import {
  bytesTable,
  entriesOf,
  floodTable,
  inMb,
  inMs,
  inPercent,
  inTimes,
  inWhole,
  isOurs,
  latencyTable,
  overviewTable,
  table,
  throughputTable,
  withSpread,
} from './tables.ts';
import {
  isMissed,
  MOST_FLOODED,
  MOST_MEMORY_BYTES,
  memoryQuarters,
  type Target,
  targetsOf,
  targetsTable,
} from './targets.ts';

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
      'Good requests come at a constant rate to the gateway without Redis, first alone (quiet), then beside a flood.',
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

/** One sentence in each line: Markdown makes a paragraph of them. */
const lines = (...sentences: readonly string[]) => sentences.join('\n');

const COMPARED = lines(
  'An app changes the tags of a conversation: a PUT with the user’s session token, which becomes a call of CometChat with the API key.',
  'A direct call is what somebody who holds the key would make; the hop is not there. CometChat is a stand-in on the same machine that answers at once with the documented body, without TLS. What CometChat and the network take comes on top, for all of them alike.',
  'The JavaScript peers do what a first version of such a service would: they check the token, map the user, call with the key and slim the body, but @fastify/reply-from passes the whole body through. None has rate limits, an order of writes, retries, a quota, metrics or a request log. nginx checks nothing: it only puts the key on.',
  'The gateway runs with all its protections on. With Redis it also looks up revoked sessions, and shares limits, order and quota with its replicas.',
  'One processor is for what is measured, another for the load, the stand-in and Redis. Rounds are interleaved: each contestant has its turn in every round. Figures are medians of the rounds, with lowest–highest in parentheses. A ratio is that of two medians: 0.50× is half as much.',
);

const LATENCY = lines(
  'An open loop with constant arrival: each request is sent at its time, whether earlier ones have been answered or not, so that a queue shows.',
  'Latency is from the sending of a request to the last byte of its answer. Added is what is more than the direct call’s in the same round; a little less than nothing is the machine’s noise.',
);

const THROUGHPUT = lines(
  'A closed loop with 32 connections: each sends its next request as soon as the last one has been answered.',
  'What the direct call and nginx reach is bounded by the load generator and the stand-in on the other processor, not by themselves. So the ratios to these two may look better than they are.',
  'Processor time is that of the contestant’s own process, as the kernel counts it. Of a direct call there is none.',
);

const LAYERS = lines(
  'A sampling profile of the gateway without Redis, in a closed loop of 32 connections. Each function counts for the layer that its file belongs to; Node.js’s own functions and others count for whoever has called them.',
  'A profiler slows down what it looks at, so the shares are its, and the sum is the processor time of a request without it.',
);

function toPeers({ throughput }: Results, names: readonly Contestant[]): string {
  const { gateway } = throughput;
  return names
    .flatMap((name) => {
      const peer = throughput[name];
      return gateway && peer
        ? `${inTimes(gateway.perSecond.median / peer.perSecond.median)} the throughput of ${CONTESTANTS[name]}`
        : [];
    })
    .map((text, index) => (index === 0 ? text : text.replace('the throughput', 'that')))
    .join(', ');
}

const sumOf = (layers: Results['layers']) => layers.reduce((sum, { microseconds }) => sum + microseconds, 0);
const sorted = (layers: Results['layers']) => layers.toSorted((a, b) => b.microseconds - a.microseconds);

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

interface Picture {
  readonly file: string;
  readonly label: string;
  readonly svg: string;
}

/** Those for which there are figures. */
const picturesOf = (results: Results, targets: readonly Target[]): Picture[] =>
  [latencyPicture, throughputPicture, floodPicture, memoryPicture, layersPicture].flatMap(
    (draw) => draw(results, targets) ?? [],
  );

/** Beyond this many times the least, the least cannot be seen. */
const MOST_LINEAR = 20;

function latencyPicture({ latency }: Results, targets: readonly Target[]): Picture | undefined {
  const panels = latency.map(({ perSecond, of }) => ({
    title: `at ${inWhole(perSecond)} requests a second`,
    rows: entriesOf(of)
      .filter(([name]) => name !== 'direct')
      .map(([name, { added }]) => {
        const over = name === 'gateway' && isMissed(targets, `latency ${perSecond}`);
        const [pale, full] = isOurs(name)
          ? [COLOURS.gatewayPale, over ? COLOURS.missed : COLOURS.gateway]
          : [COLOURS.otherPale, COLOURS.other];
        const bar = ({ median: value }: { median: number }, colour: string, more = '') => ({
          value,
          text: `${inMs(value)} ms${more}`,
          colour,
        });
        return {
          name: CONTESTANTS[name],
          isOurs: isOurs(name),
          bars: [bar(added.p50, pale), bar(added.p99, full, over ? ', over the target' : '')],
        };
      }),
  }));
  const values = panels.flatMap(({ rows }) => rows.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return undefined;
  const isLog = Math.max(...positive) > MOST_LINEAR * Math.min(...positive);
  const told = latency.flatMap(({ perSecond, of }) =>
    of.gateway
      ? `${inMs(of.gateway.added.p99.median)} ms at p99 at ${inWhole(perSecond)} requests a second`
      : [],
  );
  const label = `Latency added to a direct call: the gateway adds ${told.join(', ')}`;
  const svg = barChart({
    title: `Latency added to a direct call, ms${isLog ? ' (logarithmic scale)' : ''}: less is better`,
    label,
    key: [
      { colours: [COLOURS.gatewayPale, COLOURS.otherPale], text: 'p50' },
      { colours: [COLOURS.gateway, COLOURS.other], text: 'p99' },
    ],
    panels,
    ...(isLog && { logUnit: 'ms' }),
  });
  return { file: 'latency.svg', label, svg };
}

function throughputPicture(results: Results, targets: readonly Target[]): Picture | undefined {
  const entries = entriesOf(results.throughput);
  if (entries.length === 0) return undefined;
  const isSlow = ['express-axios', 'hono-fetch'].some((peer) => isMissed(targets, `throughput ${peer}`));
  const bounded = results.throughput.nginx ? 'direct call and nginx' : 'direct call';
  const colourOf = (name: Contestant) => (isOurs(name) ? COLOURS.gateway : COLOURS.other);
  const gateway = results.throughput.gateway?.perSecond.median ?? 0;
  const compared = toPeers(results, ['express-axios', 'hono-fetch', 'reply-from']);
  const label = `Throughput on one processor: the gateway answers ${inWhole(gateway)} requests a second${compared && `: ${compared}`}`;
  const svg = barChart({
    title: 'What one processor can do',
    label,
    key: [
      ...(isSlow ? [{ colours: [COLOURS.missed], text: 'target missed' }] : []),
      { colours: [], text: `${bounded}: bounded by the load generator and the stand-in` },
    ],
    areBeside: true,
    panels: [
      {
        title: 'requests/s: more is better',
        rows: entries.map(([name, { perSecond }]) => ({
          name: CONTESTANTS[name],
          isOurs: isOurs(name),
          bars: [
            {
              value: perSecond.median,
              text: inWhole(perSecond.median),
              colour: name === 'gateway' && isSlow ? COLOURS.missed : colourOf(name),
            },
          ],
        })),
      },
      {
        title: 'processor µs a request: less is better',
        rows: entries.map(
          ([
            name,
            {
              processorMicroseconds: { median },
            },
          ]) => ({
            name: CONTESTANTS[name],
            bars: [
              name === 'direct'
                ? { text: 'no hop', colour: COLOURS.other }
                : { value: median, text: inWhole(median), colour: colourOf(name) },
            ],
          }),
        ),
      },
    ],
  });
  return { file: 'throughput.svg', label, svg };
}

function floodPicture({ flood, floodPerSecond }: Results, targets: readonly Target[]): Picture | undefined {
  const kinds = Object.entries(flood);
  if (kinds.length === 0) return undefined;
  const ratios = kinds.map(([, { quiet, flooded }]) => flooded.p99.median / quiet.p99.median);
  const label = `p99 of good requests beside a flood of ${inWhole(floodPerSecond)} requests a second: at most ${inTimes(Math.max(...ratios))} the quiet one`;
  const missed = kinds.filter(([kind]) => isMissed(targets, `flood ${kind}`));
  const svg = barChart({
    title: `p99 of good requests, alone and beside ${inWhole(floodPerSecond)} bad ones a second`,
    label,
    key: [
      { colours: [COLOURS.gatewayPale], text: 'quiet' },
      { colours: [COLOURS.gateway], text: 'flooded' },
      ...(missed.length > 0 ? [{ colours: [COLOURS.missed], text: 'flooded, target missed' }] : []),
      { colours: [], text: `dark mark: ${MOST_FLOODED}× the quiet one, the target’s most` },
    ],
    panels: [
      {
        title: '',
        rows: kinds.map(([kind, { quiet, flooded }]) => ({
          name: kind,
          bars: [
            {
              value: quiet.p99.median,
              text: `${inMs(quiet.p99.median)} ms`,
              colour: COLOURS.gatewayPale,
            },
            {
              value: flooded.p99.median,
              text: `${inMs(flooded.p99.median)} ms, ${inTimes(flooded.p99.median / quiet.p99.median)}`,
              colour: isMissed(targets, `flood ${kind}`) ? COLOURS.missed : COLOURS.gateway,
              limit: quiet.p99.median * MOST_FLOODED,
            },
          ],
        })),
      },
    ],
  });
  return { file: 'flood.svg', label, svg };
}

function memoryPicture({ memory }: Results, targets: readonly Target[]): Picture | undefined {
  const quarters = memoryQuarters(memory);
  if (!quarters) return undefined;
  const highest = Math.max(...memory.map(({ bytes }) => bytes));
  const quarter = memory.length / 4;
  const shape = isMissed(targets, 'memory flat') ? 'not flat' : 'flat';
  const isHigh = isMissed(targets, 'memory highest');
  const limitColour = isHigh ? COLOURS.missed : COLOURS.limit;
  const requests = inWhole(memory.at(-1)?.requests ?? 0);
  const label = `Resident memory over ${requests} requests: ${shape}, ${inMb(highest)} MB at its highest; median ${inMb(quarters.second)} MB in the second quarter, ${inMb(quarters.last)} MB in the last`;
  const svg = lineChart({
    title: `Resident memory: ${shape}, ${inMb(highest)} MB at its highest`,
    label,
    key: [
      { colours: [COLOURS.gateway], text: 'this gateway' },
      {
        colours: [limitColour],
        text: `target: under ${inWhole(MOST_MEMORY_BYTES / 1e6)} MB, ${isHigh ? 'missed' : 'held'}`,
      },
      { colours: [COLOURS.part], text: 'second and last quarter' },
    ],
    points: memory.map(({ requests, bytes }) => [requests, bytes / 1e6] as const),
    yUnit: 'MB',
    xTitle: 'requests answered',
    limit: { y: MOST_MEMORY_BYTES / 1e6, colour: limitColour },
    parts: [
      { from: quarter - 1, to: 2 * quarter - 1, text: `median ${inMb(quarters.second)} MB` },
      { from: 3 * quarter - 1, to: 4 * quarter - 1, text: `median ${inMb(quarters.last)} MB` },
    ],
  });
  return { file: 'memory.svg', label, svg };
}

function layersPicture({ layers }: Results): Picture | undefined {
  const whole = sumOf(layers);
  if (whole === 0) return undefined;
  const most = sorted(layers);
  const label = `Where the ${inWhole(whole)} µs of a request go: most to ${most
    .slice(0, 3)
    .map(({ name, microseconds }) => `${name} (${inWhole(microseconds)} µs)`)
    .join(', ')}`;
  const svg = barChart({
    title: `Where the ${inWhole(whole)} µs of processor time of a request go`,
    label,
    panels: [
      {
        title: '',
        rows: most.map(({ name, microseconds }) => ({
          name,
          bars: [
            {
              value: microseconds,
              text: `${inWhole(microseconds)} µs, ${inPercent(microseconds / whole)}`,
              colour: COLOURS.gateway,
            },
          ],
        })),
      },
    ],
  });
  return { file: 'layers.svg', label, svg };
}
