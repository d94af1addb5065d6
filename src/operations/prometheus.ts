import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Metrics } from '../base/services.ts';

const PREFIX = 'cometchat_gateway_';

/** In seconds, as https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ advises. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** The metrics of one gateway, for Prometheus. */
export class PrometheusMetrics implements Metrics {
  readonly registry = new Registry();

  counter<L extends string = never>(
    name: string,
    help: string,
    labels: Record<L, readonly string[]> = {} as Record<L, readonly string[]>,
  ): Counter<L> {
    const labelNames = Object.keys(labels) as L[];
    const counter = this.#once(
      PREFIX + name,
      (fullName) => new Counter({ name: fullName, help, labelNames, registers: [this.registry] }),
    );
    // A series that appears with its first event would have no increase.
    for (const label of labelNames) {
      for (const value of labels[label]) {
        counter.inc({ [label]: value } as unknown as Record<L, string>, 0);
      }
    }
    return counter;
  }

  gauge<L extends string = never>(
    name: string,
    help: string,
    labelNames: L[] = [],
    collect: (gauge: Gauge<L>) => void = () => {},
  ): Gauge<L> {
    return new Gauge({
      name: PREFIX + name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        collect(this);
      },
    });
  }

  duration<L extends string>(name: string, help: string, labelNames: L[]): Histogram<L> {
    return new Histogram({ name, help, labelNames, buckets: BUCKETS, registers: [this.registry] });
  }

  #once<L extends string>(name: string, make: (name: string) => Counter<L>): Counter<L> {
    return (this.registry.getSingleMetric(name) as Counter<L> | undefined) ?? make(name);
  }
}
