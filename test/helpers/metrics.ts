import type { PrometheusMetrics } from '../../src/operations/prometheus.ts';
import { until } from './until.ts';

/** One line of Prometheus' text format; a histogram has lines of several names. */
interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const samplesIn = (text: string): Sample[] =>
  [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name = '', labels = '', value]) => ({
    name,
    labels: Object.fromEntries(
      [...labels.matchAll(/(\w+)="((?:\\.|[^"\\])*)"/g)].map(([, label = '', text = '']) => [label, text]),
    ),
    value: Number(value),
  }));

export const samplesOf = async ({ registry }: PrometheusMetrics): Promise<Sample[]> =>
  samplesIn(await registry.metrics());

/** The value of each series, by the metric's name and the values of its labels: `retries`, `problems rate-limited`. */
export type Counts = Readonly<Record<string, number>>;

/** Reads all metrics; names are without the prefix and the `_total` that they have in common. */
export const countsOf = async (metrics: PrometheusMetrics): Promise<Counts> =>
  countsIn(await samplesOf(metrics));

/** The same of a gateway that shows its metrics at this address. */
export const countsAt = async (url: string): Promise<Counts> =>
  countsIn(samplesIn(await (await fetch(url)).text()));

const countsIn = (samples: readonly Sample[]): Counts =>
  Object.fromEntries(
    samples.map(({ name, labels, value }) => [[shortName(name), ...Object.values(labels)].join(' '), value]),
  );

const shortName = (name: string): string => name.replace(/^cometchat_gateway_|_total$/g, '');

/** Waits until a series has counted so much; throws at once where there is no metric of its name. */
export async function counted(metrics: PrometheusMetrics, series: string, count: number): Promise<void> {
  const [name = ''] = series.split(' ');
  const names = metrics.registry.getMetricsAsArray().map((metric) => shortName(metric.name));
  if (!names.includes(name)) throw new Error(`there is no metric ${name}`);
  await until(`${series}: ${count}`, async () => ((await countsOf(metrics))[series] ?? 0) >= count);
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
