import { barChart } from './bar-chart.ts';
import { lineChart } from './line-chart.ts';
import { CONTESTANTS, type Contestant, type Results } from './results.ts';
import { COLOURS } from './svg.ts';
import {
  entriesOf,
  inMb,
  inMs,
  inPercent,
  inTimes,
  inWhole,
  isOurs,
  sorted,
  sumOf,
  toPeers,
} from './tables.ts';
import { isMissed, MOST_FLOODED, MOST_MEMORY_BYTES, memoryQuarters, type Target } from './targets.ts';

/** A chart, and the file beside RESULTS.md that it goes into. */
export interface Picture {
  readonly file: string;
  readonly label: string;
  readonly svg: string;
}

/** Those for which there are figures. */
export const picturesOf = (results: Results, targets: readonly Target[]): Picture[] =>
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
