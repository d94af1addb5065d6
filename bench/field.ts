import { type Place, type Running, startGateway, startNginx, startPeer, startRedis } from './contestants.ts';
import type { Request } from './load.ts';
import { isInstalled } from './machine.ts';
import type { Contestant } from './results.ts';
import type { Field } from './rounds.ts';

/**
 * Starts all contestants that can be started here.
 *
 * @param upstream CometChat, for the direct call
 * @param next requests of the app, the same for all of them; `direct` those of the direct call
 */
export async function startField(
  place: Place,
  upstream: Running,
  { next, direct }: { next: () => Request; direct: () => Request },
): Promise<{ field: Field; missing: string[]; stop: () => Promise<void> }> {
  const missing: string[] = [];
  const programs: Running['program'][] = [];
  const field = new Map<Contestant, Running & { next: () => Request }>();
  field.set('direct', { ...upstream, next: direct });
  const add = (name: Contestant, running: Running) => {
    field.set(name, { ...running, next });
    programs.push(running.program);
  };
  if (isInstalled('nginx')) add('nginx', await startNginx(place));
  else missing.push('nginx, which is not installed');
  for (const name of ['reply-from', 'hono-fetch', 'express-axios'] as const) {
    add(name, await startPeer(name, place));
  }
  add('gateway', await startGateway('gateway', place));
  if (isInstalled('redis-server')) {
    const redis = await startRedis(place.folder);
    add('gateway-redis', await startGateway('gateway-redis', place, { env: { REDIS_URL: redis.url } }));
    programs.push(redis.program);
  } else missing.push('the gateway with Redis, because redis-server is not installed');
  const stop = async () => {
    for (const program of programs) await program.stop();
  };
  return { field, missing, stop };
}
