import type { Running } from './contestants.ts';
import { Load, type Request } from './load.ts';
import type { Results } from './results.ts';

const REQUESTS = 100_000;
const SAMPLES = 100;

/** Looks at the memory of a gateway again and again while it answers. */
export async function watchMemory(
  { program, origin }: Running,
  next: () => Request,
  say: (text: string) => void,
): Promise<Results['memory']> {
  const load = new Load(origin, next);
  const samples = [];
  for (let done = 0; done < REQUESTS; done += REQUESTS / SAMPLES) {
    if (done % (REQUESTS / 10) === 0) say(`memory: ${done} of ${REQUESTS} requests`);
    await load.saturate(32, { requests: REQUESTS / SAMPLES });
    samples.push({ requests: done + REQUESTS / SAMPLES, bytes: program.residentBytes() });
  }
  await load.close();
  return samples;
}
