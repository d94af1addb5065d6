import type { Running } from './contestants.ts';
import { Load, type Request } from './load.ts';
import type { Contestant, Results } from './results.ts';
import { latencyOf, type Percentiles, percentiles, spreadOf } from './statistics.ts';

/** How many rounds each contestant has, by turns, so that a slow minute of the machine is nobody's alone. */
export const ROUNDS = 3;
/** The first is CometChat's whole quota: 20,000 calls a minute. */
export const RATES = [333, 1000] as const;
export const SECONDS = 3;
export const CONNECTIONS = 32;
/** V8 compiles what runs often, and the more so the more often. */
const WARM_UP = 20_000;

/** Who is measured: what answers, and what it is asked. */
export type Field = ReadonlyMap<Contestant, Running & { readonly next: () => Request }>;

interface Scores {
  readonly perSecond: number[];
  readonly processorMicroseconds: number[];
  /** A list for each of the rates. */
  readonly latencies: Percentiles[][];
}

/** Measures the latency and the throughput of all, in turn, several times. */
export async function runRounds(
  field: Field,
  say: (text: string) => void,
): Promise<Pick<Results, 'latency' | 'throughput'>> {
  const loads = new Map([...field].map(([name, { origin, next }]) => [name, new Load(origin, next)]));
  for (const [name, load] of loads) {
    say(`warming up: ${name}`);
    expectAll(name, await load.saturate(CONNECTIONS, { requests: WARM_UP }));
  }
  const scores = new Map([...field].map(([name]) => [name, newScores()]));
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (const [name, load] of loads) {
      say(`round ${round} of ${ROUNDS}: ${name}`);
      await measure(name, load, field.get(name) as Running, scores.get(name) as Scores);
    }
  }
  await Promise.all([...loads.values()].map((load) => load.close()));
  return summary(scores);
}

async function measure(name: Contestant, load: Load, { program }: Running, scores: Scores): Promise<void> {
  const before = program.cpuMicroseconds();
  const answers = await load.saturate(CONNECTIONS, { seconds: SECONDS });
  expectAll(name, answers);
  const count = answers.latencies.length;
  scores.perSecond.push(count / answers.seconds);
  scores.processorMicroseconds.push((program.cpuMicroseconds() - before) / count);
  for (const [index, rate] of RATES.entries()) {
    const arrived = await load.arrive(rate, SECONDS);
    expectAll(name, arrived);
    scores.latencies[index]?.push(percentiles(arrived.latencies));
  }
}

/** Whoever fails is fast; such a figure had better not be there. */
function expectAll(name: string, { statuses }: { statuses: Record<string, number> }): void {
  const others = Object.keys(statuses).filter((status) => status !== '200');
  if (others.length > 0) throw new Error(`${name} did not answer all with 200: ${JSON.stringify(statuses)}`);
}

const newScores = (): Scores => ({
  perSecond: [],
  processorMicroseconds: [],
  latencies: RATES.map(() => []),
});

function summary(scores: ReadonlyMap<Contestant, Scores>): Pick<Results, 'latency' | 'throughput'> {
  const each = <T>(of: (scores: Scores) => T) =>
    Object.fromEntries([...scores].map(([name, score]) => [name, of(score)]));
  const direct = scores.get('direct') as Scores;
  return {
    throughput: each(({ perSecond, processorMicroseconds }) => ({
      perSecond: spreadOf(perSecond),
      processorMicroseconds: spreadOf(processorMicroseconds),
    })),
    latency: RATES.map((perSecond, index) => ({
      perSecond,
      of: each(({ latencies }) => {
        const whole = latencies[index] as Percentiles[];
        const added = whole.map(({ p50, p99 }, round) => {
          const without = direct.latencies[index]?.[round] as Percentiles;
          return { p50: p50 - without.p50, p99: p99 - without.p99 };
        });
        return { whole: latencyOf(whole), added: latencyOf(added) };
      }),
    })),
  };
}
