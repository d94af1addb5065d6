import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Place, startGateway } from './contestants.ts';
import { readLayers } from './layers.ts';
import { failuresOf, Load, MOST_FAILED, type Request } from './load.ts';
import type { Measured } from './results.ts';

const REQUESTS = 20_000;

/** Looks at which functions a saturated gateway is in, by V8's sampling profiler. */
export async function profile(place: Place, next: () => Request): Promise<Measured['layers']> {
  const folder = join(place.folder, 'profile');
  mkdirSync(folder);
  const node = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
  const { program, origin } = await startGateway('profile', place, { node });
  const load = new Load(origin, next);
  const failed = failuresOf(await load.saturate({ requests: REQUESTS }));
  if (failed > REQUESTS * MOST_FAILED) throw new Error(`${failed} of ${REQUESTS} requests failed`);
  await load.close();
  await program.stop();
  return readLayers(folder);
}
