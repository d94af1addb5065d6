import type { Running } from './contestants.ts';
import { failuresOf, Load, MOST_FAILED, type Request } from './load.ts';
import type { Measured } from './results.ts';
import { spreadOf } from './statistics.ts';

const REQUESTS = 100_000;
const SAMPLES = 100;

/** Reads the resident memory of a gateway again and again while it answers. */
export async function watchMemory(
  { program, origin }: Running,
  next: () => Request,
  say: (text: string) => void,
): Promise<Measured['memory']> {
  const load = new Load(origin, next);
  const samples = [];
  let failed = 0;
  for (let done = 0; done < REQUESTS; done += REQUESTS / SAMPLES) {
    if (done % (REQUESTS / 10) === 0) say(`memory: ${done} of ${REQUESTS} requests`);
    failed += failuresOf(await load.saturate({ requests: REQUESTS / SAMPLES }));
    samples.push({ requests: done + REQUESTS / SAMPLES, bytes: program.residentBytes() });
  }
  await load.close();
  if (failed > REQUESTS * MOST_FAILED) throw new Error(`${failed} of ${REQUESTS} requests failed`);
  return samples;
}

/** @returns the second and the last quarter of the samples of memory: their medians, in bytes */
export function memoryQuarters(memory: Measured['memory']): { second: number; last: number } | undefined {
  const quarter = memory.length / 4;
  if (quarter < 1) return undefined;
  const median = (from: number, to: number) =>
    spreadOf(memory.slice(Math.floor(from * quarter), Math.floor(to * quarter)).map(({ bytes }) => bytes))
      .median;
  return { second: median(1, 2), last: median(3, 4) };
}
