import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { Calls } from './calls.ts';
import type { Children } from './children.ts';
import { Clients } from './clients.ts';
import { now } from './clock.ts';
import { allConversations } from './conversations.ts';
import { History } from './history.ts';
import { type RedisKind, startHouse } from './house.ts';
import { BACK_MS, type Phase, phaseAt } from './phases.ts';
import type { Findings } from './report.ts';
import type { Report } from './sandbox.ts';
import { counts, sum } from './table.ts';
import { Tally } from './tally.ts';
import { Watch } from './watch.ts';

const NANOSECONDS_PER_MS = 1_000_000;
const LOOK_EVERY_MS = 100;
const NOTE_EVERY_MS = 1000;
const SHOW_EVERY_MS = 5000;
/** After the load, for connections to close: Node.js' servers keep idle ones for five seconds. */
const SETTLE_MS = 7000;
/** At the end no master is killed any more, so that all that it did is seen. */
const QUIET_SECONDS = 10;

/**
 * Lets the apps of all users send so many requests a second, for so many seconds.
 *
 * @param stop ends it early
 */
export async function soak(
  seconds: number,
  rate: number,
  redis: RedisKind,
  children: Children,
  stop: AbortSignal,
): Promise<Findings> {
  const { session, sandbox, gateways, failovers } = await startHouse(children, redis);
  const conversations = await allConversations(session);
  const watches = gateways.map((gateway) => new Watch(gateway));
  const [history, tally] = [new History(), new Tally()];
  const start = now();
  const elapsed = () => now() - start;
  const phase = () => phaseAt(elapsed() / 1000, seconds);

  let [connections, pauseMs] = [0, 0];
  sandbox.on('message', (report: Report) => {
    for (const [name, tags, at] of report.writes) history.taken(name, tags, at);
    history.heard(report.until);
    tally.phase(phase()).calls += report.calls;
    ({ connections, pauseMs } = report);
  });

  let told: Phase | undefined;
  let downAt = start;
  const tell = every(LOOK_EVERY_MS, () => {
    if (told?.outage) downAt = now();
    if (phase() !== told && sandbox.connected) sandbox.send(phase());
    told = phase();
  });
  const isBack = () => !told?.outage && now() - downAt > BACK_MS;
  const note = every(NOTE_EVERY_MS, () => {
    // One of them may have ended.
    if (stop.aborted) return;
    for (const watch of watches) watch.note();
    history.prune(now());
  });
  const show = every(SHOW_EVERY_MS, () =>
    process.stderr.write(`${progress(elapsed(), phase(), tally, watches)}\n`),
  );

  const lag = monitorEventLoopDelay({ resolution: 1 });
  lag.enable();
  const clients = new Clients(
    gateways.map(({ origin }) => origin),
    new Calls(conversations),
    history,
    tally,
  );
  const quiet = new AbortController();
  const failing = failovers?.run(AbortSignal.any([stop, quiet.signal]));
  setTimeout(() => quiet.abort(), (seconds - QUIET_SECONDS) * 1000).unref();
  await clients.run(rate, seconds, { phase, isBack }, stop);
  lag.disable();
  for (const timer of [note, show]) clearInterval(timer);
  await wait(SETTLE_MS, undefined, { signal: stop }).catch(() => {});
  clearInterval(tell);
  history.finish();
  await failing;
  await failovers?.end();
  return {
    tally,
    history,
    watches,
    connections,
    pauseMs,
    filesAtEnd: stop.aborted ? [] : watches.map((watch) => watch.openFiles()),
    lag: { p99: lag.percentile(99) / NANOSECONDS_PER_MS, max: lag.max / NANOSECONDS_PER_MS },
    linesByLevel: children.linesByLevel,
    warnings: children.warnings,
    errorLines: children.errorLines,
    failovers: failovers?.took,
    stopped: stop.aborted ? String(stop.reason) : undefined,
  };
}

function progress(ms: number, { name }: Phase, tally: Tally, watches: readonly Watch[]): string {
  const { sent, left, lost, results, slowest } = tally;
  const memory = watches.map(({ now }) => now.toFixed()).join(' + ');
  return [
    `${(ms / 1000).toFixed().padStart(4)} s ${name}: ${sent} sent, ${left} left, ${sum(lost.values())} lost`,
    `slowest ${slowest.toFixed()} ms`,
    `${memory} MB`,
    counts(results),
  ].join('; ');
}

/** Does it now, and then again and again. */
function every(ms: number, job: () => void): NodeJS.Timeout {
  job();
  return setInterval(job, ms);
}
