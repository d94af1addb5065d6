import type { PrometheusMetrics } from '../../src/operations/prometheus.ts';

/** The value of each series, by the metric's name and the values of its labels: `retries`, `problems rate-limited`. */
export type Counts = Readonly<Record<string, number>>;

/** Reads all metrics; names are without the prefix and the `_total` that they have in common. */
export async function countsOf({ registry }: PrometheusMetrics): Promise<Counts> {
  const metrics = await registry.getMetricsAsJSON();
  const entries = metrics.flatMap(({ name, values }) =>
    values.map(({ labels, value }): [string, number] => [
      [name.replace(/^cometchat_gateway_|_total$/g, ''), ...Object.values(labels)].join(' '),
      value,
    ]),
  );
  return Object.fromEntries(entries);
}

/** How long things took, and what is left of a limit: operations/metrics.test.ts looks at those. */
const MEASURES = /^http_|_calls_left$/;

/** By how much each metric has moved, where it has. */
export const movedSince = (before: Counts, after: Counts): Counts =>
  Object.fromEntries(
    Object.entries(after)
      .filter(([name]) => !MEASURES.test(name))
      .map(([name, value]): [string, number] => [name, value - (before[name] ?? 0)])
      .filter(([, by]) => by !== 0),
  );
