import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureCalls } from './calls.ts';
import { type Running, startGateway, startUpstream } from './contestants.ts';
import { startField } from './field.ts';
import { withstandFloods } from './floods.ts';
import { isInstalled, machine, versions } from './machine.ts';
import { watchMemory } from './memory.ts';
import { profile } from './profile.ts';
import { CORES, pin } from './program.ts';
import { charts, details, report } from './report.ts';
import { type Measured, NOTHING_MEASURED, type Results } from './results.ts';
import { runRounds } from './rounds.ts';
import { measureScale } from './scale.ts';
import { measureSize } from './size.ts';
import { timeStarts } from './start.ts';
import { directRequests, requestsOf } from './users.ts';

// Measures the gateway beside others that do the same, and writes bench/RESULTS.md.

const ROUNDS = 3;
const NEEDED = ['taskset', 'getconf'];

const begin = performance.now();
const elapsed = () => `${Math.floor((performance.now() - begin) / 1000)}`.padStart(4);
const say = (text: string) => process.stderr.write(`${elapsed()} s  ${text}\n`);

function refuse(reason: string): never {
  process.stderr.write(`${reason}\n`);
  process.exit(1);
}

/** A gateway that nobody has called yet. */
async function withFresh<T>(name: string, use: (gateway: Running) => Promise<T>): Promise<T> {
  const gateway = await startGateway(name, place);
  const result = await use(gateway);
  await gateway.program.stop();
  return result;
}

const PARTS: Record<string, () => Promise<Partial<Measured>>> = {
  contestants: async () => {
    const { field, missing, stop } = await startField(place, upstream, { next, direct });
    const measured = await runRounds(field, rounds, say);
    await stop();
    return { ...measured, missing };
  },
  calls: () => withFresh('calls', async (gateway) => ({ calls: await measureCalls(gateway, rounds, say) })),
  floods: () =>
    withFresh('floods', async (gateway) => ({ floods: await withstandFloods(gateway, next, rounds, say) })),
  memory: () => withFresh('memory', async (gateway) => ({ memory: await watchMemory(gateway, next, say) })),
  start: async () => ({ start: await timeStarts(place, say) }),
  size: () =>
    withFresh('size', async ({ origin }) => ({
      size: await measureSize([upstream.origin, direct()], [origin, next()]),
    })),
  scale: async () =>
    isInstalled('redis-server')
      ? { scale: await measureScale(place, rounds, say) }
      : { missing: [...measured.missing, 'scale, because redis-server is not installed'] },
  profile: async () => {
    say('profile');
    return { layers: await profile(place, next) };
  },
};

const { values, positionals: asked } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string' } },
});
const rounds = Number(values.rounds ?? ROUNDS);
if (!(rounds >= 1) || asked.some((name) => !(name in PARTS))) {
  refuse(`usage: node bench/main.ts [--rounds=${ROUNDS}] [${Object.keys(PARTS).join('|')}]...`);
}
if (process.platform !== 'linux' || !NEEDED.every(isInstalled)) {
  refuse(`The bench needs Linux, with ${NEEDED.join(' and ')}.`);
}

pin(process.pid, CORES.others);
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const upstream = await startUpstream(folder);
const place = { upstream: upstream.port, folder };
const next = await requestsOf('user');
const direct = directRequests();

const measured = { ...NOTHING_MEASURED };
for (const [name, measure] of Object.entries(PARTS)) {
  if (asked.length === 0 || asked.includes(name)) Object.assign(measured, await measure());
}
await upstream.program.stop();

const results: Results = {
  ...measured,
  rounds,
  date: new Date().toISOString().slice(0, 10),
  seconds: (performance.now() - begin) / 1000,
  machine: machine(),
  versions: versions(),
};
if (asked.length === 0 && rounds >= ROUNDS) {
  writeFileSync('bench/RESULTS.md', report(results));
  for (const [file, svg] of Object.entries(charts(results))) writeFileSync(`bench/${file}`, svg);
  say('written to bench/RESULTS.md');
} else {
  process.stdout.write(details(results));
  say('a part of the whole: bench/RESULTS.md stays as it is');
}
process.exit(0);
