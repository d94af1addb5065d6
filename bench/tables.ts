import { CONTESTANTS, type Contestant, type Results, type Spread } from './results.ts';

const number = (value: number, digits: number): string =>
  value
    .toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
    .replace(/^-(?=[0.]+$)/, '')
    .replace('-', '−');

/** @returns a number as people write it, in its unit's decimals */
export const inMs = (value: number): string => number(value, 2);
/** The same for what has no decimals worth telling. */
export const inWhole = (value: number): string => number(value, 0);
/** The same for bytes, in megabytes. */
export const inMb = (bytes: number): string => number(bytes / 1e6, 1);
/** The same for a ratio. */
export const inTimes = (ratio: number): string => `${number(ratio, ratio < 10 ? 2 : 1)}×`;
/** The same for a part of a whole. */
export const inPercent = (part: number): string => `${number(part * 100, 0)} %`;

/** @returns the median, with the lowest and the highest behind it */
export function withSpread(
  { median, lowest, highest }: Spread,
  format: (value: number) => string,
  unit = '',
): string {
  // A dash beside a minus cannot be read.
  const to = lowest < 0 ? ' to ' : '–';
  return `${format(median)} (${format(lowest)}${to}${format(highest)})${unit}`;
}

/** @returns each contestant that there is, in the order of CONTESTANTS */
export function entriesOf<T>(of: Partial<Record<Contestant, T>>): [Contestant, T][] {
  return (Object.keys(CONTESTANTS) as Contestant[]).flatMap((name) => {
    const value = of[name];
    return value === undefined ? [] : [[name, value]];
  });
}

/** @returns a table in Markdown, all columns but the first aligned to the right, unless told otherwise */
export function table(head: readonly string[], rows: readonly (readonly string[])[], rest = '--:'): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, column) => (column === 0 ? '---' : rest))), ...rows.map(line)].join(
    '\n',
  );
}

const NONE = '–';
/** @returns whether it is the gateway, in whatever form */
export const isOurs = (name: Contestant) => name === 'gateway' || name === 'gateway-redis';
const titleOf = (name: Contestant) => (isOurs(name) ? `**${CONTESTANTS[name]}**` : CONTESTANTS[name]);

/** One amount to another; what a machine's noise has made nothing or less cannot be divided by. */
const ratio = (one: Spread | undefined, other: Spread | undefined): string =>
  one && other && one.median > 0 && other.median > 0 ? inTimes(one.median / other.median) : NONE;

/** All contestants in one table: what each adds, and what each can do. */
export function overviewTable({ latency, throughput }: Results): string {
  const head = ['', ...latency.map(({ perSecond }) => `added p50 / p99, ms, at ${inWhole(perSecond)}/s`)];
  const rows = entriesOf(throughput).map(([name, { perSecond, processorMicroseconds }]) => [
    titleOf(name),
    ...latency.map(({ of }) => {
      const added = name === 'direct' ? undefined : of[name]?.added;
      return added ? `${inMs(added.p50.median)} / ${inMs(added.p99.median)}` : NONE;
    }),
    inWhole(perSecond.median),
    name === 'direct' ? NONE : inWhole(processorMicroseconds.median),
  ]);
  return table([...head, 'requests/s, one processor', 'processor µs a request'], rows);
}

/** The latency at one rate. */
export function latencyTable({ of }: Results['latency'][number]): string {
  const { direct, gateway } = of;
  const rows = entriesOf(of).map(([name, { whole, added }]) => {
    const isDirect = name === 'direct';
    const compared = isDirect || name === 'gateway' ? undefined : added;
    return [
      titleOf(name),
      withSpread(whole.p50, inMs),
      withSpread(whole.p99, inMs),
      isDirect ? NONE : `${ratio(whole.p50, direct?.whole.p50)} / ${ratio(whole.p99, direct?.whole.p99)}`,
      isDirect ? NONE : withSpread(added.p50, inMs),
      isDirect ? NONE : withSpread(added.p99, inMs),
      compared
        ? `${ratio(gateway?.added.p50, compared.p50)} / ${ratio(gateway?.added.p99, compared.p99)}`
        : NONE,
    ];
  });
  const head = ['', 'p50, ms', 'p99, ms', 'to the direct call, p50 / p99', 'added p50, ms', 'added p99, ms'];
  return table([...head, 'gateway to this one, added p50 / p99'], rows);
}

/** How much each can do, and what one request takes of a processor. */
export function throughputTable({ throughput }: Results): string {
  const { direct, gateway } = throughput;
  const rows = entriesOf(throughput).map(([name, { perSecond, processorMicroseconds }]) => {
    const isDirect = name === 'direct';
    const compared = name === 'gateway' ? undefined : throughput[name];
    return [
      titleOf(name),
      withSpread(perSecond, inWhole),
      isDirect ? NONE : ratio(perSecond, direct?.perSecond),
      ratio(gateway?.perSecond, compared?.perSecond),
      isDirect ? NONE : withSpread(processorMicroseconds, inWhole),
      isDirect ? NONE : ratio(gateway?.processorMicroseconds, compared?.processorMicroseconds),
    ];
  });
  const head = ['', 'requests/s', 'to the direct call', 'gateway to this one', 'processor µs a request'];
  return table([...head, 'gateway to this one'], rows);
}

/** What good requests had while others came. */
export function floodTable({ flood }: Results): string {
  const rows = Object.entries(flood).map(([kind, { quiet, flooded, good, flood, processor }]) => [
    kind,
    `${inWhole(good.answered)} of ${inWhole(good.sent)}`,
    `${inMs(quiet.p50.median)} / ${inMs(flooded.p50.median)}`,
    withSpread(quiet.p99, inMs),
    withSpread(flooded.p99, inMs),
    ratio(flooded.p99, quiet.p99),
    Object.entries(flood)
      .map(([status, count]) => `${status}: ${inWhole(count)}`)
      .join(', '),
    inPercent(processor.median),
  ]);
  const head = ['flood', 'good ones answered', 'p50 quiet / flooded, ms', 'p99 quiet, ms', 'p99 flooded, ms'];
  return table([...head, 'flooded to quiet, p99', 'what the flood got', 'of one processor'], rows);
}

/** What one answer weighs, without the gateway and with it. */
export function bytesTable({ bytes: { cometchat, client } }: Results): string {
  const row = (name: string, of: 'body' | 'wire') => [
    name,
    inWhole(cometchat[of]),
    inWhole(client[of]),
    inTimes(cometchat[of] / client[of]),
  ];
  const rows = [row('body', 'body'), row('all that goes over the wire, with headers', 'wire')];
  return table(['bytes of one answer', 'from CometChat', 'from the gateway', 'smaller'], rows);
}

/** How much more than each of them the gateway can do, in words. */
export function toPeers({ throughput }: Results, names: readonly Contestant[]): string {
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

export const sumOf = (layers: Results['layers']) =>
  layers.reduce((sum, { microseconds }) => sum + microseconds, 0);

/** Most first. */
export const sorted = (layers: Results['layers']) =>
  layers.toSorted((a, b) => b.microseconds - a.microseconds);
