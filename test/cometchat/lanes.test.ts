import t from 'tap';
import { ending } from './order/history.ts';
import { brokenPromise } from './order/promises.ts';
import { type End, GOOD, type Scenario } from './order/scenario.ts';
import { simulate, type World } from './order/simulation.ts';

const ONE: World = { replicas: 1, isShared: false };
const ALONE: World = { replicas: 1, isShared: true };
const TWO: World = { replicas: 2, isShared: true };

/** A write that comes so long after the one before it, to this gateway; `repeats` counts back to the write whose tags it has. */
const write = (gapMs: number, { replica = 0, repeats = 0, leavesMs = null as number | null } = {}) =>
  ({ gapMs, replica, repeats, leavesMs, change: undefined }) as Scenario['writes'][number];
/** An attempt that ends so after so long. */
const attempt = (end: End, answersMs = 100, beforeMs = 0) => ({ ...GOOD, end, answersMs, beforeMs });

interface Row {
  readonly claim: string;
  readonly world?: World;
  readonly writes: Scenario['writes'];
  readonly fates: Scenario['fates'];
  /** Of another attempt's delay, 200 ms at most. */
  readonly chance?: Scenario['chance'];
  /** When which write's tags were sent. */
  readonly sent: readonly string[];
  readonly ends: readonly string[];
}

/** The order of writes to the millisecond. Writes are called by their numbers; Redis answers at once. */
const ROWS: readonly Row[] = [
  {
    claim: 'a write that a newer one has superseded is not attempted again',
    writes: [write(0), write(150)],
    fates: [attempt('answers 503')],
    chance: 1,
    sent: ['0 ms: 0', '150 ms: 1'],
    ends: ['superseded', 'ok'],
  },
  {
    claim: 'a newer write does not wait for the time that the older one was told to',
    writes: [write(0), write(150)],
    fates: [attempt('answers 503 with Retry-After')],
    sent: ['0 ms: 0', '150 ms: 1'],
    ends: ['superseded', 'ok'],
  },
  {
    claim: 'writes are sent one after the other, and of those that wait the newest alone',
    writes: [write(0), write(10), write(10), write(10)],
    fates: [attempt('answers')],
    sent: ['0 ms: 0', '100 ms: 3'],
    ends: ['ok', 'superseded', 'superseded', 'ok'],
  },
  {
    claim: 'equal writes are sent once, and what comes after them is sent again',
    writes: [write(0), write(10, { repeats: 1 }), write(10, { repeats: 2 }), write(200, { repeats: 1 })],
    fates: [attempt('answers')],
    sent: ['0 ms: 0', '220 ms: 0'],
    ends: ['ok', 'ok, joined', 'ok, joined', 'ok'],
  },
  {
    claim: 'equal writes are refused once',
    writes: [write(0), write(10, { repeats: 1 })],
    fates: [attempt('answers 404')],
    sent: ['0 ms: 0'],
    ends: ['ERR_UID_NOT_FOUND', 'ERR_UID_NOT_FOUND, joined'],
  },
  {
    claim: 'an attempt that may be carried out late is waited for, from its start on',
    writes: [write(0), write(10)],
    fates: [attempt('breaks, written late')],
    sent: ['0 ms: 0', '300 ms: 1'],
    ends: ['superseded', 'ok'],
  },
  {
    claim: 'an attempt that timed out was waited for long enough',
    writes: [write(0), write(10)],
    fates: [attempt('is silent, never written')],
    sent: ['0 ms: 0', '300 ms: 1'],
    ends: ['superseded', 'ok'],
  },
  {
    claim: 'an attempt in doubt leaves a newer write half of its deadline',
    world: { ...ONE, attemptTimeoutMs: 60_000, deadlineMs: 1000 },
    writes: [write(0), write(10)],
    fates: [attempt('breaks, never written')],
    sent: ['0 ms: 0', '500 ms: 1'],
    ends: ['superseded', 'ok'],
  },
  {
    claim: 'equal tags do not wait for an attempt in doubt',
    writes: [write(0, { leavesMs: 50 }), write(110, { repeats: 1 })],
    fates: [attempt('breaks, written late')],
    sent: ['0 ms: 0', '110 ms: 0'],
    ends: ['client_gone', 'ok'],
  },
  {
    claim: 'equal tags do not wait for an attempt in doubt though others came between, which are superseded',
    writes: [write(0), write(10), write(10, { repeats: 2 })],
    fates: [attempt('breaks, written late')],
    sent: ['0 ms: 0', '100 ms: 0'],
    ends: ['superseded', 'superseded', 'ok'],
  },
  {
    claim: 'that equal tags have succeeded does not end the wait for the first attempt',
    writes: [write(0, { leavesMs: 50 }), write(110, { repeats: 1 }), write(50)],
    fates: [attempt('breaks, written late')],
    sent: ['0 ms: 0', '110 ms: 0', '300 ms: 2'],
    ends: ['client_gone', 'ok', 'ok'],
  },
  {
    claim: 'equal tags take over the lease of an attempt in doubt',
    world: ALONE,
    writes: [write(0, { leavesMs: 50 }), write(110, { repeats: 1 })],
    fates: [attempt('breaks, written late')],
    sent: ['0 ms: 0', '110 ms: 0'],
    ends: ['client_gone', 'ok'],
  },
  {
    claim: 'equal writes that come at once are sent once, though Redis is asked',
    world: ALONE,
    writes: [write(0), write(0, { repeats: 1 }), write(0, { repeats: 2 }), write(0, { repeats: 1 })],
    fates: [],
    sent: ['0 ms: 0'],
    ends: ['ok', 'ok, joined', 'ok, joined', 'ok, joined'],
  },
  {
    claim: 'a write that is overtaken while Redis is asked whether it may join an equal one is superseded',
    world: ALONE,
    writes: [write(0), write(10, { repeats: 1 }), write(0)],
    fates: [attempt('answers')],
    sent: ['0 ms: 0', '100 ms: 2'],
    ends: ['ok', 'superseded', 'ok'],
  },
  {
    claim: 'two gateways: a newer write does not wait for a 503, which was not carried out',
    world: TWO,
    writes: [write(0), write(20, { replica: 1 })],
    fates: [attempt('answers 503 with Retry-After', 10)],
    sent: ['0 ms: 0', '20 ms: 1'],
    ends: ['superseded', 'ok'],
  },
  {
    claim:
      'two gateways: a newer write waits for a 504, which may still be carried out, until it would be sent again',
    world: TWO,
    writes: [write(0), write(20, { replica: 1 })],
    fates: [attempt('answers 504 with Retry-After', 10)],
    sent: ['0 ms: 0', '1020 ms: 1'],
    ends: ['superseded', 'ok'],
  },
  {
    claim: 'two gateways: a write that a newer one has superseded is not attempted again',
    world: TWO,
    writes: [write(0), write(150, { replica: 1 })],
    fates: [attempt('answers 503 with Retry-After')],
    sent: ['0 ms: 0', '150 ms: 1'],
    ends: ['superseded', 'ok'],
  },
  {
    claim: 'two gateways: an equal write of the other one supersedes as well',
    world: TWO,
    writes: [write(0), write(150, { replica: 1, repeats: 1 })],
    fates: [attempt('answers 503 with Retry-After')],
    sent: ['0 ms: 0', '150 ms: 0'],
    ends: ['superseded', 'ok'],
  },
  {
    claim: 'two gateways: an attempt that may be carried out late is waited for',
    world: TWO,
    writes: [write(0), write(10, { replica: 1 })],
    fates: [attempt('breaks, written late', 10)],
    chance: 1,
    sent: ['0 ms: 0', '300 ms: 1'],
    ends: ['superseded', 'ok'],
  },
  {
    claim: 'two gateways: equal writes are sent by each of them once, one after the other',
    world: TWO,
    writes: [write(0), write(10, { replica: 1, repeats: 1 }), write(10, { replica: 1, repeats: 2 })],
    fates: [attempt('answers')],
    sent: ['0 ms: 0', '100 ms: 0'],
    ends: ['ok', 'ok', 'ok, joined'],
  },
  {
    claim: 'two gateways: the order is that in which the writes came, not that of their turns',
    world: TWO,
    writes: [write(0), write(10), write(10, { replica: 1 })],
    fates: [attempt('answers')],
    sent: ['0 ms: 0', '100 ms: 2'],
    ends: ['ok', 'superseded', 'ok'],
  },
  {
    claim:
      'two gateways: tags that were there before others of the other gateway are set again, once for all',
    world: TWO,
    writes: [write(0), write(10, { replica: 1 }), write(10, { repeats: 2 }), write(0, { repeats: 3 })],
    fates: [attempt('answers')],
    sent: ['0 ms: 0', '100 ms: 0'],
    ends: ['ok', 'superseded', 'ok', 'ok, joined'],
  },
  {
    claim: 'two gateways: a write whose turn is over before it is sent makes way for a newer one',
    world: TWO,
    writes: [write(0), write(600, { replica: 1 })],
    fates: [attempt('answers', 100, 1500)],
    sent: ['1300 ms: 1'],
    ends: ['superseded', 'ok'],
  },
  {
    claim: 'a write that is superseded between its turn and the wire is not sent',
    writes: [write(0), write(100)],
    fates: [attempt('answers', 100, 300)],
    sent: ['300 ms: 1'],
    ends: ['superseded', 'ok'],
  },
];

for (const { claim, world = ONE, writes, fates, chance = 0, sent, ends } of ROWS) {
  t.test(claim, async (t) => {
    const history = await simulate({ writes, fates: [...fates], chance, latenciesMs: [0] }, world);
    const story = { story: String(history.timeline) };
    t.equal(brokenPromise(history), undefined, story);
    const times = sent.map(Number.parseFloat);
    // Who waits for a lease asks for it every 10 to 20 ms.
    const poll = world.isShared ? 20 : 0;
    const wanted = history.attempts.map(({ started, tag }, at) => {
      const due = times[at] ?? 0;
      return `${started >= due && started <= due + poll ? due : started} ms: ${tag}`;
    });
    t.strictSame(wanted, sent, story);
    t.strictSame(
      history.writes.map(({ result }) => ending(result)),
      ends,
      story,
    );
  });
}
