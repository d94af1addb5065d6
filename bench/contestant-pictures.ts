import { barChart, needsLog } from './bar-chart.ts';
import { entriesOf, inMs, inWhole, isOurs } from './format.ts';
import { CONNECTIONS } from './load.ts';
import type { Picture } from './pictures.ts';
import { CONTESTANTS, type Contestant, type Results, type Saturation } from './results.ts';
import type { Colour } from './svg.ts';
import { toPeers } from './tables.ts';
import { isMissed, type Target } from './targets.ts';

export function latencyPicture({ latency }: Results, targets: readonly Target[]): Picture | undefined {
  const panels = latency.map(({ perSecond, of }) => ({
    title: `at ${inWhole(perSecond)} requests a second`,
    rows: entriesOf(of)
      .filter(([name]) => name !== 'direct')
      .map(([name, { added }]) => {
        const over = name === 'gateway' && isMissed(targets, `latency ${perSecond}`);
        const [pale, full]: readonly [Colour, Colour] = isOurs(name)
          ? ['gatewayPale', over ? 'missed' : 'gateway']
          : ['otherPale', 'other'];
        const bar = ({ median: value }: { median: number }, colour: Colour, more = '') => ({
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
  if (values.length === 0) return undefined;
  const isLog = needsLog(values);
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
      { colours: ['gatewayPale', 'otherPale'], text: 'p50' },
      { colours: ['gateway', 'other'], text: 'p99' },
    ],
    panels,
    ...(isLog && { logUnit: 'ms' }),
  });
  return { file: 'latency.svg', label, svg };
}

export function saturationPicture({ saturation }: Results, targets: readonly Target[]): Picture | undefined {
  const { gateway } = saturation;
  if (!gateway) return undefined;
  const isFew = targets.some(({ id }) => id.startsWith('throughput') && isMissed(targets, id));
  const isLate = isMissed(targets, 'saturation');
  const bounded = saturation.nginx ? 'direct call and nginx' : 'direct call';
  const colourOf = (name: Contestant, isOver = false): Colour => {
    if (name === 'gateway' && isOver) return 'missed';
    return isOurs(name) ? 'gateway' : 'other';
  };
  const panel = (
    title: string,
    barOf: (name: Contestant, of: Saturation) => { value?: number; text: string; colour: Colour },
  ) => ({
    title,
    rows: entriesOf(saturation).map(([name, of]) => ({
      name: CONTESTANTS[name],
      isOurs: isOurs(name),
      bars: [barOf(name, of)],
    })),
  });
  const label = `What one processor can do: the gateway answers ${inWhole(gateway.perSecond.median)} requests a second, ${toPeers(saturation)}; its p99 is ${inMs(gateway.p99.median)} ms then`;
  const svg = barChart({
    title: `One processor, ${CONNECTIONS} connections never idle: more requests/s are better, and less time`,
    label,
    key: [
      ...(isFew || isLate ? [{ colours: ['missed'] as const, text: 'target missed' }] : []),
      { colours: [], text: `${bounded}: bounded by the load and the stand-in` },
    ],
    areBeside: true,
    panels: [
      panel('requests/s', (name, { perSecond: { median: value } }) => ({
        value,
        text: inWhole(value),
        colour: colourOf(name, isFew),
      })),
      panel('processor µs a request', (name, { processorMicroseconds: { median: value } }) =>
        name === 'direct'
          ? { text: 'no hop', colour: 'other' }
          : { value, text: inWhole(value), colour: colourOf(name) },
      ),
      panel('p99, ms', (name, { p99: { median: value } }) => ({
        value,
        text: inMs(value),
        colour: colourOf(name, isLate),
      })),
    ],
  });
  return { file: 'throughput.svg', label, svg };
}
