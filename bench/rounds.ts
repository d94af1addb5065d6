import type { Running } from './contestants.ts';
import { type Answers, failuresOf, Load, MOST_FAILED, type Request } from './load.ts';
import type { Contestant, Measured } from './results.ts';
import { latencyOf, type Percentiles, percentiles, spreadOf } from './statistics.ts';

/** The first is CometChat's whole quota: 20,000 calls a minute. */
export const RATES = [333, 1000] as const;
export const SECONDS = 3;
/** V8 compiles what runs often. Every contestant has these before its first figure, and the others before each figure. */
export const FIRST_WARM_UP = 6000;
export const WARM_UP = 2000;

/** A busy machine can make a figure fail. Whoever fails again has a fault. */
const ATTEMPTS = 3;

/** Who is measured: what answers, and what it is asked. */
export type Field = ReadonlyMap<Contestant, Running & { readonly next: () => Request }>;

interface Scores {
  readonly perSecond: number[];
  readonly processorMicroseconds: number[];
  readonly saturated: Percentiles[];
  /** A list for each of the rates. */
  readonly latencies: Percentiles[][];
  /** Requests that did not get a 200. */
  failed: number;
}

/** Measures all contestants, in turn, so that a slow minute of the machine is nobody's alone. */
export async function runRounds(
  field: Field,
  rounds: number,
  say: (text: string) => void,
): Promise<Pick<Measured, 'latency' | 'saturation' | 'failed'>> {
  const loads = new Map([...field].map(([name, { origin, next }]) => [name, new Load(origin, next)]));
  for (const [name, load] of loads) {
    say(`warming up: ${name}`);
    await load.saturate({ requests: FIRST_WARM_UP });
  }
  const scores = new Map([...field].map(([name]) => [name, newScores()]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const [name, load] of loads) {
      say(`round ${round} of ${rounds}: ${name}`);
      await measure(name, load, field.get(name) as Running, scores.get(name) as Scores, say);
    }
  }
  await Promise.all([...loads.values()].map((load) => load.close()));
  return summary(scores);
}

async function measure(
  name: Contestant,
  load: Load,
  { program }: Running,
  scores: Scores,
  say: (text: string) => void,
): Promise<void> {
  for (const [index, rate] of RATES.entries()) {
    const { latencies, failed } = await warmAndMeasure(name, load, () => load.arrive(rate, SECONDS), say);
    scores.latencies[index]?.push(percentiles(latencies));
    scores.failed += failed;
  }
  const { perSecond, processorMicroseconds, latencies, failed } = await saturate(name, load, program, say);
  scores.perSecond.push(perSecond);
  scores.processorMicroseconds.push(processorMicroseconds);
  scores.saturated.push(percentiles(latencies));
  scores.failed += failed;
}

/** Finds out how many requests a second are answered at most, and what one takes. */
export async function saturate(
  name: string,
  load: Load,
  program: Running['program'],
  say: (text: string) => void,
) {
  let before = 0;
  const arrive = () => {
    before = program.cpuMicroseconds();
    return load.saturate({ seconds: SECONDS });
  };
  const { sent, seconds, latencies, failed } = await warmAndMeasure(name, load, arrive, say);
  const processorMicroseconds = (program.cpuMicroseconds() - before) / sent;
  return { perSecond: sent / seconds, processorMicroseconds, latencies, failed };
}

/** Measures, and does so again where too many requests failed. @returns how many did, of all */
async function warmAndMeasure(
  name: string,
  load: Load,
  arrive: () => Promise<Answers>,
  say: (text: string) => void,
): Promise<Answers & { failed: number }> {
  let failed = 0;
  for (let attempt = 1; ; attempt += 1) {
    await load.saturate({ requests: WARM_UP });
    const answers = await arrive();
    const failures = failuresOf(answers);
    failed += failures;
    if (failures <= answers.sent * MOST_FAILED) return { ...answers, failed };
    const what = `${name} failed: ${JSON.stringify(answers.statuses)}`;
    if (attempt === ATTEMPTS) throw new Error(what);
    say(`once more, since ${what}`);
  }
}

const newScores = (): Scores => ({
  perSecond: [],
  processorMicroseconds: [],
  saturated: [],
  latencies: RATES.map(() => []),
  failed: 0,
});

function summary(
  scores: ReadonlyMap<Contestant, Scores>,
): Pick<Measured, 'latency' | 'saturation' | 'failed'> {
  const each = <T>(of: (scores: Scores) => T) =>
    Object.fromEntries([...scores].map(([name, score]) => [name, of(score)]));
  const direct = scores.get('direct') as Scores;
  return {
    failed: each(({ failed }) => failed),
    saturation: each(({ perSecond, processorMicroseconds, saturated }) => ({
      perSecond: spreadOf(perSecond),
      processorMicroseconds: spreadOf(processorMicroseconds),
      ...latencyOf(saturated),
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
