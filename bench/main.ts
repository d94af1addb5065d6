import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { countBytes } from './bytes.ts';
import {
  type Running,
  startGateway,
  startNginx,
  startPeer,
  startRedis,
  startUpstream,
} from './contestants.ts';
import { withstandFloods } from './flood.ts';
import { readLayers } from './layers.ts';
import { Load } from './load.ts';
import { isInstalled, machine, versions } from './machine.ts';
import { watchMemory } from './memory.ts';
import { CORES, pin } from './program.ts';
import { charts, report } from './report.ts';
import type { Contestant, Results } from './results.ts';
import { runRounds } from './rounds.ts';
import { timeStarts } from './start.ts';
import { directRequests, requestsOf } from './users.ts';

// Measures the gateway beside others that do the same, and writes bench/RESULTS.md. Needs Linux and two processors; nginx
// and redis-server are left out where they are not installed.

const PROFILED_REQUESTS = 30_000;
const NEEDED = ['taskset', 'getconf'];

const absent = NEEDED.filter((name) => !isInstalled(name));
if (process.platform !== 'linux' || absent.length > 0) {
  process.stderr.write(`The bench needs Linux, with ${NEEDED.join(' and ')}.\n`);
  process.exit(1);
}

const begin = performance.now();
const elapsed = () => `${Math.floor((performance.now() - begin) / 1000)}`.padStart(4);
const say = (text: string) => process.stderr.write(`${elapsed()} s  ${text}\n`);

pin(process.pid, CORES.others);
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
const upstream = await startUpstream(folder);
const place = { upstream: upstream.port, folder };
const missing: string[] = [];
const field = new Map<Contestant, Running & { next: () => ReturnType<typeof next> }>();
const next = await requestsOf('user');
const direct = directRequests();

field.set('direct', { ...upstream, next: direct });
if (isInstalled('nginx')) field.set('nginx', { ...(await startNginx(place)), next });
else missing.push('nginx, which is not installed');
for (const name of ['reply-from', 'hono-fetch', 'express-axios'] as const) {
  field.set(name, { ...(await startPeer(name, place)), next });
}
field.set('gateway', { ...(await startGateway('gateway', place)), next });
const redis = isInstalled('redis-server') ? await startRedis(folder) : undefined;
if (redis) {
  const shared = { env: { REDIS_URL: redis.url } };
  field.set('gateway-redis', { ...(await startGateway('gateway-redis', place, shared)), next });
} else missing.push('the gateway with Redis, which is not installed');

const rounds = await runRounds(field, say);
const bytes = await countBytes(
  [upstream.origin, direct()],
  [(field.get('gateway') as Running).origin, next()],
);
for (const [name, { program }] of field) if (name !== 'direct') await program.stop();
await redis?.program.stop();

/** A gateway that nobody has called yet. */
async function withFresh<T>(
  name: string,
  options: Parameters<typeof startGateway>[2],
  use: (gateway: Running) => Promise<T>,
): Promise<T> {
  const gateway = await startGateway(name, place, options);
  const result = await use(gateway);
  await gateway.program.stop();
  return result;
}

const flood = await withFresh('flood', {}, (gateway) => withstandFloods(gateway, next, say));
const memory = await withFresh('memory', {}, (gateway) => watchMemory(gateway, next, say));
const start = await timeStarts(place, say);

say('profile');
const profile = join(folder, 'profile');
mkdirSync(profile);
const node = ['--cpu-prof', `--cpu-prof-dir=${profile}`];
await withFresh('profile', { node }, async ({ origin }) => {
  const load = new Load(origin, next);
  await load.saturate(32, { requests: PROFILED_REQUESTS });
  await load.close();
});
await upstream.program.stop();

const results: Results = {
  date: new Date().toISOString().slice(0, 10),
  seconds: (performance.now() - begin) / 1000,
  machine: machine(),
  versions: versions(),
  missing,
  ...rounds,
  ...flood,
  memory,
  start,
  bytes,
  layers: readLayers(profile, rounds.throughput.gateway?.processorMicroseconds.median ?? 0),
};
rmSync(folder, { recursive: true });
writeFileSync('bench/RESULTS.md', report(results));
for (const [file, svg] of Object.entries(charts(results))) writeFileSync(`bench/${file}`, svg);
say('written to bench/RESULTS.md');
process.exit(0);
