import { DEADLINE_MS } from './clients.ts';
import type { History } from './history.ts';
import { BACK_MS, PHASES } from './phases.ts';
import { counts, sum, table } from './table.ts';
import type { Counts, Tally } from './tally.ts';
import type { Watch } from './watch.ts';

/** What must hold. */
interface Row {
  readonly what: string;
  readonly measured: string;
  readonly bound: string;
  readonly holds: boolean;
}

/** All that was measured. */
export interface Findings {
  readonly tally: Tally;
  readonly history: History;
  readonly watches: readonly Watch[];
  readonly filesAtEnd: readonly number[];
  /** Connections to CometChat that are still open at the end. */
  readonly connections: number;
  /** The longest time in which the stand-in for CometChat stood still. */
  readonly pauseMs: number;
  /** In milliseconds. */
  readonly lag: { readonly p99: number; readonly max: number };
  readonly linesByLevel: ReadonlyMap<string, number>;
  /** Of the gateways, each with how often it came. */
  readonly warnings: ReadonlyMap<string, number>;
  readonly errorLines: readonly string[];
  /** How long each failover of Redis took, in milliseconds; undefined where there is none. */
  readonly failovers: readonly number[] | undefined;
  /** Why the run was ended early. */
  readonly stopped: string | undefined;
}

const MAX_GROWTH = 1.2;
/** In a shorter run a process is still warming up. */
const MIN_SAMPLES = 300;
const MAX_CALLS = 1.3;
/** Of the stand-in for CometChat: if it stands still for longer, it may carry out what a gateway has given up long ago. */
const MAX_PAUSE_MS = 1000;
/** From then on a gateway knows nothing of what the other one writes, until Redis answers again. */
const WITHOUT_REDIS = 'Redis unavailable: using in-process state';
/** Of each kind of call; most of what fails does so in outages. */
const MIN_SHARE = 0.5;

/** @returns the tables, and whether all holds that must */
export function report(findings: Findings): { text: string; holds: boolean } {
  const rows = [...clientRows(findings), ...historyRows(findings), ...processRows(findings)];
  const text = [
    table(['what must hold', 'measured', 'bound', ''], rows.map(cells)),
    table(['phase', 'sent', '200', 'calls per request'], phaseCells(findings.tally)),
    notes(findings).join('\n'),
    ...findings.tally.odd,
    ...findings.history.examples,
    ...findings.errorLines,
  ].join('\n\n');
  return { text, holds: rows.every(({ holds }) => holds) };
}

function clientRows({ tally, stopped, pauseMs, warnings, failovers }: Findings): Row[] {
  const times = tally.times.toSorted((a, b) => a - b);
  const quantile = (part: number) => (times[Math.floor(times.length * part)] ?? 0).toFixed();
  const lost = sum(tally.lost.values());
  const internal = tally.result('internal');
  const odd = tally.result('odd');
  const { recovered } = tally;
  const alone = warnings.get(WITHOUT_REDIS) ?? 0;
  return [
    must('run to its end', stopped ?? 'yes', 'yes', !stopped && tally.result('200') > 0),
    must('longest pause of the stand-in, ms', pauseMs.toFixed(), `${MAX_PAUSE_MS}`, pauseMs <= MAX_PAUSE_MS),
    failovers
      ? must('masters of Redis killed', `${failovers.length}`, '3', failovers.length >= 3)
      : must('times that Redis was too late for a gateway', `${alone}`, '0', alone === 0),
    must('requests without an answer', `${lost} of ${tally.sent} ${counts(tally.lost)}`, '0', lost === 0),
    must(
      'answers in time: p50, p99, max ms',
      `${quantile(0.5)}, ${quantile(0.99)}, ${tally.slowest.toFixed()}`,
      `${DEADLINE_MS}`,
      tally.slowest <= DEADLINE_MS,
    ),
    must(
      `refused as unavailable ${BACK_MS / 1000} s after CometChat was back`,
      `${recovered.refused} of ${recovered.sent}`,
      '0',
      recovered.sent > 0 && recovered.refused === 0,
    ),
    must('answers 500', `${internal}`, '0', internal === 0),
    must('answers of an unknown form', `${odd}`, '0', odd === 0),
    ...[...tally.kinds].map(kindRow),
  ];
}

const kindRow = ([kind, { sent, ok }]: [string, Counts]): Row =>
  must(`${kind}: part that got a 200`, percent(ok / sent), percent(MIN_SHARE), ok >= sent * MIN_SHARE);

function historyRows({ history: { violations } }: Findings): Row[] {
  const none = (what: string, count: number) => must(what, `${count}`, '0', count === 0);
  return [
    none('lost updates', violations.lost),
    none('changes that count after one that was sent later', violations.order),
    none('changes answered with 200 and not applied', violations.missing),
    none('changes refused and applied all the same', violations.refused),
    none('conversations left with older tags', violations.final),
    none('answers with tags that CometChat did not have', violations.reads),
  ];
}

function processRows(findings: Findings): Row[] {
  const { watches, filesAtEnd, connections, tally } = findings;
  const filesBefore = watches.map(({ filesAtStart }) => filesAtStart);
  const mayBeOpen = sum(filesBefore) + connections;
  const outage = PHASES.filter((phase) => phase.outage).map((phase) => tally.phase(phase));
  const more = sum(outage.map(({ calls }) => calls)) / sum(outage.map(({ due }) => due));
  return [
    ...watches.map(memoryRow),
    must(
      'files open: before, after',
      `${filesBefore.join(' + ')}, ${filesAtEnd.join(' + ')}`,
      `${mayBeOpen} with ${connections} connections`,
      sum(filesAtEnd) <= mayBeOpen,
    ),
    must('calls in outages, to those without retries', more.toFixed(2), `${MAX_CALLS}`, !(more > MAX_CALLS)),
  ];
}

function memoryRow(watch: Watch): Row {
  const what = `memory of ${watch.name}: MB by quarter`;
  const quarters = [0, 1, 2, 3].map((number) => watch.quarter(number).toFixed()).join(', ');
  if (watch.samples < MIN_SAMPLES) return must(what, quarters, 'none: too short a run', true);
  const growth = watch.quarter(3) / watch.quarter(1);
  const bound = `${MAX_GROWTH} times the 2nd`;
  return must(what, `${quarters}: ${growth.toFixed(2)}`, bound, growth <= MAX_GROWTH);
}

const notes = ({ tally, pauseMs, lag, linesByLevel, warnings, failovers }: Findings) => [
  ...(failovers ? [`failovers of Redis took: ${failovers.map((ms) => ms.toFixed()).join(', ')} ms`] : []),
  ...(tally.slowest > DEADLINE_MS || pauseMs > MAX_PAUSE_MS || (!failovers && warnings.has(WITHOUT_REDIS))
    ? ['What came late may be the only reason why other rows failed: is the machine too busy?']
    : []),
  `answers: ${counts(tally.results)}`,
  `clients that left: ${tally.left}`,
  `log lines: ${counts(linesByLevel)}`,
  `warnings: ${counts(warnings)}`,
  `delay of the clients’ own event loop: p99 ${lag.p99.toFixed(1)} ms, at most ${lag.max.toFixed(1)} ms`,
];

const phaseCells = ({ phases }: Tally) =>
  [...phases]
    .filter(([, { sent }]) => sent > 0)
    .map(([name, { sent, ok, calls }]) => [name, `${sent}`, percent(ok / sent), (calls / sent).toFixed(2)]);

const percent = (part: number) => `${(100 * part).toFixed(1)} %`;

const must = (what: string, measured: string, bound: string, holds: boolean): Row => ({
  what,
  measured,
  bound,
  holds,
});
const cells = ({ what, measured, bound, holds }: Row) => [what, measured, bound, holds ? 'ok' : 'FAILED'];
