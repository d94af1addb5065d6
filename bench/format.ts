import { CONTESTANTS, type Contestant, type Spread } from './results.ts';

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

/** @returns whether it is the gateway, in whatever form */
export const isOurs = (name: Contestant): boolean => name === 'gateway' || name === 'gateway-redis';

/** Stands where there is nothing to say. */
export const NONE = '–';

/** @returns one amount to another; what a machine's noise has made nothing or less cannot be divided by */
export const ratio = (one: Spread | undefined, other: Spread | undefined): string =>
  one && other && one.median > 0 && other.median > 0 ? inTimes(one.median / other.median) : NONE;

/** @returns what is too much, so that it never looks like nothing; undefined where nothing is */
export function excess(amount: number, format: (value: number) => string, least: number): string | undefined {
  if (amount <= 0) return undefined;
  return amount < least ? `less than ${format(least)}` : format(amount);
}

export const milliseconds = (value: number) => `${inMs(value)} ms`;
