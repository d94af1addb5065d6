// npm run soak: two gateways and a Redis before a CometChat that fails in all ways, for ten minutes, and a verdict.
import { parseArgs } from 'node:util';
import { Children } from './children.ts';
import type { RedisKind } from './house.ts';
import { report } from './report.ts';
import { soak } from './soak.ts';

/** Requests a second. A cluster is six processes more on the same processors. */
const [RATE, CLUSTER_RATE] = [200, 100];
/** For all that comes before and after the load. */
const SPARE_SECONDS = 60;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    rate: { type: 'string' },
    redis: { type: 'string', default: 'single' },
  },
});
const { redis } = values;
const seconds = Number(values.seconds);
const rate = Number(values.rate ?? (redis === 'cluster' ? CLUSTER_RATE : RATE));
if (!isKind(redis) || !(seconds >= 15 && seconds <= 7200 && rate >= 1 && rate <= 2000)) {
  process.stderr.write(
    'usage: npm run soak -- [--seconds <15 to 7200>] [--rate <1 to 2000 a second>] [--redis <single or cluster>]\n',
  );
  process.exit(1);
}

function isKind(text: string): text is RedisKind {
  return text === 'single' || text === 'cluster';
}

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => stop.abort(`stopped by ${signal}`));
}
// Whatever hangs: the end of this process is that of its children.
setTimeout(() => process.exit(1), (seconds + SPARE_SECONDS) * 1000).unref();

const children = new Children(stop);
let holds = false;
try {
  const verdict = report(await soak(seconds, rate, redis, children, stop.signal));
  holds = verdict.holds;
  process.stdout.write(`\n${verdict.text}\n`);
} catch (error) {
  process.stderr.write(`\n${stop.signal.aborted ? stop.signal.reason : (error as Error).stack}\n`);
} finally {
  await children.end();
}
process.exit(holds ? 0 : 1);
