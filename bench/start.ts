import { join } from 'node:path';
import { type Place, startGateway } from './contestants.ts';
import type { Measured } from './results.ts';
import { spreadOf } from './statistics.ts';

const STARTS = 9;

/** Starts the gateway again and again, until /readyz says yes. */
export async function timeStarts(place: Place, say: (text: string) => void): Promise<Measured['start']> {
  const cache = join(place.folder, 'compile-cache');
  // Writes the cache, when it ends.
  await timeStart(place, cache);
  const cached = [];
  const uncached = [];
  for (let start = 1; start <= STARTS; start += 1) {
    say(`start ${start} of ${STARTS}`);
    cached.push(await timeStart(place, cache));
    uncached.push(await timeStart(place, ''));
  }
  return { cached: spreadOf(cached), uncached: spreadOf(uncached) };
}

async function timeStart(place: Place, cache: string): Promise<number> {
  const begin = performance.now();
  const { program, origin } = await startGateway('start', place, { env: { NODE_COMPILE_CACHE: cache } });
  const { ok } = await fetch(`${origin}/readyz`);
  const ms = performance.now() - begin;
  if (!ok) throw new Error('it is not ready');
  await program.stop();
  return ms;
}
