import type { Latency, Spread } from './results.ts';

/** @param values at least one */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number) => sorted[index] as number;
  return { median: at(Math.floor(sorted.length / 2)), lowest: at(0), highest: at(sorted.length - 1) };
}

/** One round's latencies, in milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

/** @param sorted latencies, shortest first */
export function percentiles(sorted: Float64Array): Percentiles {
  const at = (part: number) => sorted[Math.floor((sorted.length - 1) * part)] as number;
  return { p50: at(0.5), p99: at(0.99) };
}

export const latencyOf = (rounds: readonly Percentiles[]): Latency => ({
  p50: spreadOf(rounds.map(({ p50 }) => p50)),
  p99: spreadOf(rounds.map(({ p99 }) => p99)),
});
