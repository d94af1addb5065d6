import { barChart, needsLog } from './bar-chart.ts';
import { floodId, hasLatencyTarget, MOST_FLOODED } from './flood-targets.ts';
import { inMb, inMs, inPercent, inTimes, inWhole } from './format.ts';
import { lineChart } from './line-chart.ts';
import { memoryQuarters } from './memory.ts';
import type { Picture } from './pictures.ts';
import type { Flood, Results } from './results.ts';
import { isMissed, MOST_MEMORY_BYTES, type Target } from './targets.ts';

export function floodPicture({ floods }: Results, targets: readonly Target[]): Picture | undefined {
  if (floods.length === 0) return undefined;
  const timesOf = ({ quiet, flooded }: Flood) => flooded.p99.median / quiet.p99.median;
  const rates = [...new Set(floods.map(({ perSecond }) => perSecond))];
  const at = (rate: number) => floods.filter(({ perSecond }) => perSecond === rate);
  const told = rates.map(
    (rate) => `${inTimes(Math.max(...at(rate).map(timesOf)))} at ${inWhole(rate)} a second`,
  );
  const label = `p99 of good requests beside a flood of bad ones, to the quiet one: at most ${told.join(', ')}`;
  const isAnyMissed = floods.some((flood) => isMissed(targets, floodId(flood)));
  const isLog = needsLog(floods.flatMap(({ quiet, flooded }) => [quiet.p99.median, flooded.p99.median]));
  const svg = barChart({
    title: `p99 of good requests, alone and beside a flood${isLog ? ' (logarithmic scale)' : ''}: less is better`,
    label,
    key: [
      { colours: ['gatewayPale'], text: 'quiet' },
      { colours: ['gateway'], text: 'flooded' },
      ...(isAnyMissed ? [{ colours: ['missed'] as const, text: 'flooded, target missed' }] : []),
      { colours: [], text: `upright line: ${MOST_FLOODED}× the quiet one, the target’s most` },
    ],
    ...(isLog && { logUnit: 'ms' }),
    panels: rates.map((rate) => ({
      title: `${inWhole(rate)} bad requests a second`,
      rows: at(rate).map((flood) => {
        const { kind, quiet, flooded } = flood;
        return {
          name: kind,
          bars: [
            { value: quiet.p99.median, text: `${inMs(quiet.p99.median)} ms`, colour: 'gatewayPale' },
            {
              value: flooded.p99.median,
              text: `${inMs(flooded.p99.median)} ms, ${inTimes(timesOf(flood))}`,
              colour: isMissed(targets, floodId(flood)) ? 'missed' : 'gateway',
              ...(hasLatencyTarget(flood) && { limit: quiet.p99.median * MOST_FLOODED }),
            },
          ],
        };
      }),
    })),
  });
  return { file: 'flood.svg', label, svg };
}

export function memoryPicture({ memory }: Results, targets: readonly Target[]): Picture | undefined {
  const quarters = memoryQuarters(memory);
  if (!quarters) return undefined;
  const highest = Math.max(...memory.map(({ bytes }) => bytes));
  const quarter = memory.length / 4;
  const shape = isMissed(targets, 'memory flat') ? 'not flat' : 'flat';
  const isHigh = isMissed(targets, 'memory highest');
  const limitColour = isHigh ? 'missed' : 'limit';
  const requests = inWhole(memory.at(-1)?.requests ?? 0);
  const label = `Resident memory over ${requests} requests: ${shape}, ${inMb(highest)} MB at its highest; median ${inMb(quarters.second)} MB in the second quarter, ${inMb(quarters.last)} MB in the last`;
  const svg = lineChart({
    title: `Resident memory: ${shape}, ${inMb(highest)} MB at its highest`,
    label,
    key: [
      { colours: ['gateway'], text: 'this gateway' },
      {
        colours: [limitColour],
        text: `target: under ${inWhole(MOST_MEMORY_BYTES / 1e6)} MB, ${isHigh ? 'missed' : 'held'}`,
      },
      { colours: ['part'], text: 'second and last quarter' },
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

export function layersPicture({ layers, saturation }: Results): Picture | undefined {
  if (layers.length === 0) return undefined;
  const whole = saturation.gateway?.processorMicroseconds.median ?? 0;
  const label = `Where the ${inWhole(whole)} µs of a request go: most to ${layers
    .slice(0, 3)
    .map(({ name, share }) => `${name} (${inPercent(share)})`)
    .join(', ')}`;
  const svg = barChart({
    title: `Where the ${inWhole(whole)} µs of processor time of a request go`,
    label,
    panels: [
      {
        title: '',
        rows: layers.map(({ name, share }) => ({
          name,
          bars: [
            {
              value: share * whole,
              text: `${inWhole(share * whole)} µs, ${inPercent(share)}`,
              colour: 'gateway',
            },
          ],
        })),
      },
    ],
  });
  return { file: 'layers.svg', label, svg };
}
