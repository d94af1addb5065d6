import t from 'tap';
import type { Change } from '../../src/cometchat/change.ts';
import { ending } from './order/history.ts';
import { contradiction } from './order/model.ts';
import { type End, GOOD, type Scenario } from './order/scenario.ts';
import { simulate, type World } from './order/simulation.ts';

const ONE: World = { replicas: 1, isShared: false };
const TWO: World = { replicas: 2, isShared: true };
const TWENTY_FOUR = Array.from({ length: 24 }, (_, number) => `t${number}`);

/** `= a,b` replaces, `+a -b` merges; it comes so long after the one before it, to this gateway. */
function comes(gapMs: number, text: string, { replica = 0, leavesMs = null as number | null } = {}) {
  const [sign, list = ''] = text.split('= ');
  const tags = (prefix: string) =>
    text.split(' ').flatMap((word) => (word.startsWith(prefix) ? [word.slice(1)] : []));
  const change: Change =
    sign === ''
      ? { kind: 'replace', tags: list.split(',') }
      : { kind: 'merge', add: tags('+'), remove: tags('-') };
  return { gapMs, replica, repeats: 0, leavesMs, change } as Scenario['writes'][number];
}
/** An attempt that ends so after so long. */
const attempt = (end: End, answersMs = 100) => ({ ...GOOD, end, answersMs });

interface Row {
  readonly claim: string;
  readonly world?: World;
  readonly before?: readonly string[];
  readonly writes: Scenario['writes'];
  readonly fates?: Scenario['fates'];
  /** What was sent when: `read`, or the tags. */
  readonly sent: readonly string[];
  readonly ends: readonly string[];
  readonly after: string;
}

/** How changes of single tags are sent, to the millisecond; Redis answers at once. */
const ROWS: readonly Row[] = [
  {
    claim: 'a merge reads and writes in one turn',
    before: ['inbox', 'old'],
    writes: [comes(0, '+vip -inbox'), comes(10, '= new')],
    fates: [attempt('answers'), attempt('answers')],
    sent: ['0 ms: read', '100 ms: new'],
    ends: ['superseded', 'ok'],
    after: 'new',
  },
  {
    claim: 'a merge that is writing is not ended by a replace, which comes after it',
    before: ['inbox', 'old'],
    writes: [comes(0, '+vip -inbox'), comes(150, '= new')],
    fates: [attempt('answers'), attempt('answers')],
    sent: ['0 ms: read', '100 ms: old,vip', '200 ms: new'],
    ends: ['ok', 'ok'],
    after: 'new',
  },
  {
    claim: 'where nothing changes nothing is written',
    before: ['vip'],
    writes: [comes(0, '+vip -inbox')],
    sent: ['0 ms: read'],
    ends: ['ok'],
    after: 'vip',
  },
  {
    claim: 'replace, replace: the older one is superseded',
    writes: [comes(0, '= a'), comes(10, '= b'), comes(10, '= c')],
    fates: [attempt('answers')],
    sent: ['0 ms: a', '100 ms: c'],
    ends: ['ok', 'superseded', 'ok'],
    after: 'c',
  },
  {
    claim: 'merge, replace: the merge is superseded',
    writes: [comes(0, '= a'), comes(10, '+b'), comes(10, '= c')],
    fates: [attempt('answers')],
    sent: ['0 ms: a', '100 ms: c'],
    ends: ['ok', 'superseded', 'ok'],
    after: 'c',
  },
  {
    claim: 'replace, merge: both are one write without a read',
    writes: [comes(0, '= a'), comes(10, '= b,c'), comes(10, '+d -b')],
    fates: [attempt('answers')],
    sent: ['0 ms: a', '100 ms: c,d'],
    ends: ['ok', 'ok', 'ok'],
    after: 'c,d',
  },
  {
    claim: 'merge, merge: both are one read and one write',
    writes: [comes(0, '= a'), comes(10, '+b'), comes(10, '+c -a')],
    fates: [attempt('answers')],
    sent: ['0 ms: a', '100 ms: read', '100 ms: b,c'],
    ends: ['ok', 'ok', 'ok'],
    after: 'b,c',
  },
  {
    claim: 'replace, merge, replace: all that waited is superseded',
    writes: [comes(0, '= a'), comes(10, '= b'), comes(10, '+c'), comes(10, '= d')],
    fates: [attempt('answers')],
    sent: ['0 ms: a', '100 ms: d'],
    ends: ['ok', 'superseded', 'superseded', 'ok'],
    after: 'd',
  },
  {
    claim: 'a merge does not end the further attempts of a replace, and comes after them',
    writes: [comes(0, '= a'), comes(10, '+b')],
    fates: [attempt('answers 503')],
    sent: ['0 ms: a', '100 ms: a', '100 ms: read', '100 ms: a,b'],
    ends: ['ok', 'ok'],
    after: 'a,b',
  },
  {
    claim: 'equal merges are sent once',
    writes: [comes(0, '+b'), comes(10, '+b'), comes(10, '+b')],
    fates: [attempt('answers')],
    sent: ['0 ms: read', '100 ms: b'],
    ends: ['ok', 'ok, joined', 'ok, joined'],
    after: 'b',
  },
  {
    claim: 'a merge that equals an older one, but not the newest, has its own place',
    writes: [comes(0, '= a'), comes(10, '+b'), comes(10, '-b'), comes(10, '+b')],
    fates: [attempt('answers')],
    sent: ['0 ms: a', '100 ms: read', '100 ms: a,b'],
    ends: ['ok', 'ok', 'ok', 'ok'],
    after: 'a,b',
  },
  {
    claim: 'of two merges that would make 26 tags one is refused, and the other one written',
    before: TWENTY_FOUR,
    writes: [comes(0, '-none'), comes(10, '+x'), comes(10, '+y')],
    fates: [attempt('answers')],
    sent: ['0 ms: read', '100 ms: read', `100 ms: ${TWENTY_FOUR},x`],
    ends: ['ok', 'ok', 'too-many-tags'],
    after: `${TWENTY_FOUR},x`,
  },
  {
    claim: 'a merge that would make 26 tags is refused, and nothing written',
    before: TWENTY_FOUR,
    writes: [comes(0, '+x +y')],
    sent: ['0 ms: read'],
    ends: ['too-many-tags'],
    after: `${TWENTY_FOUR}`,
  },
  {
    claim: 'a set that is too large already may shrink, and may not grow',
    before: [...TWENTY_FOUR, 'u', 'v', 'w'],
    writes: [comes(0, '+x -u -v'), comes(100, '+y')],
    sent: ['0 ms: read', `0 ms: ${TWENTY_FOUR},w,x`, '100 ms: read'],
    ends: ['ok', 'too-many-tags'],
    after: `${TWENTY_FOUR},w,x`,
  },
  {
    claim:
      'a merge that was refused gets the failure of the write where that fails: nobody knows what is there',
    before: TWENTY_FOUR,
    writes: [comes(0, '-none'), comes(10, '+x'), comes(10, '+y')],
    fates: [attempt('answers'), attempt('answers', 0), attempt('answers 404')],
    sent: ['0 ms: read', '100 ms: read', `100 ms: ${TWENTY_FOUR},x`],
    ends: ['ok', 'ERR_UID_NOT_FOUND', 'ERR_UID_NOT_FOUND'],
    after: `${TWENTY_FOUR}`,
  },
  {
    claim: 'what was composed stays when a client leaves',
    writes: [comes(0, '= a'), comes(10, '+b', { leavesMs: 5 }), comes(1, '+c')],
    fates: [attempt('answers')],
    sent: ['0 ms: a', '100 ms: read', '100 ms: a,b,c'],
    ends: ['ok', 'client_gone', 'ok'],
    after: 'a,b,c',
  },
  {
    claim: 'a merge whose clients have all left is not written, and the next one has its own read',
    writes: [comes(0, '= a'), comes(10, '+b', { leavesMs: 5 }), comes(10, '+c')],
    fates: [attempt('answers')],
    sent: ['0 ms: a', '100 ms: read', '100 ms: a,c'],
    ends: ['ok', 'client_gone', 'ok'],
    after: 'a,c',
  },
  {
    claim: 'after doubt the tags are read again',
    writes: [comes(0, '+b')],
    fates: [attempt('answers', 0), attempt('breaks, written before')],
    sent: ['0 ms: read', '0 ms: b', '100 ms: read'],
    ends: ['ok'],
    after: 'b',
  },
  {
    claim: 'a merge waits for an attempt in doubt before it reads',
    writes: [comes(0, '= a', { leavesMs: 50 }), comes(110, '+b')],
    fates: [attempt('breaks, written late')],
    sent: ['0 ms: a', '300 ms: read', '300 ms: a,b'],
    ends: ['client_gone', 'ok'],
    after: 'a,b',
  },
  {
    claim: 'a merge waits for the doubt of a replace whose next attempt has succeeded',
    writes: [comes(0, '= a'), comes(110, '+b')],
    fates: [attempt('breaks, written late'), attempt('answers', 50)],
    sent: ['0 ms: a', '100 ms: a', '300 ms: read', '300 ms: a,b'],
    ends: ['ok', 'ok'],
    after: 'a,b',
  },
  {
    claim: 'a second merge is composed with one that waits for a doubt',
    writes: [comes(0, '= a'), comes(110, '+b'), comes(10, '+c')],
    fates: [attempt('breaks, written late'), attempt('answers', 50)],
    sent: ['0 ms: a', '100 ms: a', '300 ms: read', '300 ms: a,b,c'],
    ends: ['ok', 'ok', 'ok'],
    after: 'a,b,c',
  },
  {
    claim: 'a newer replace supersedes a merge that waits for a doubt, and waits for it as well',
    writes: [comes(0, '= a'), comes(110, '+b'), comes(10, '= c')],
    fates: [attempt('breaks, written late'), attempt('answers', 50)],
    sent: ['0 ms: a', '100 ms: a', '300 ms: c'],
    ends: ['ok', 'superseded', 'ok'],
    after: 'c',
  },
  {
    claim: 'two gateways: a merge waits for a doubt of the other one',
    world: TWO,
    writes: [comes(0, '= a'), comes(110, '+b', { replica: 1 })],
    fates: [attempt('breaks, written late'), attempt('answers', 50)],
    sent: ['0 ms: a', '100 ms: a', '300 ms: read', '300 ms: a,b'],
    ends: ['ok', 'ok'],
    after: 'a,b',
  },
  {
    claim: 'a read in doubt delays nobody',
    writes: [comes(0, '+b', { leavesMs: 50 }), comes(110, '+c')],
    fates: [attempt('breaks, never written')],
    sent: ['0 ms: read', '110 ms: read', '110 ms: c'],
    ends: ['client_gone', 'ok'],
    after: 'c',
  },
  {
    claim: 'two gateways: a merge waits for a write of the other one, and keeps what that wrote',
    world: TWO,
    writes: [comes(0, '+a'), comes(10, '+b', { replica: 1 })],
    fates: [attempt('answers'), attempt('answers')],
    sent: ['0 ms: read', '100 ms: a', '200 ms: read', '200 ms: a,b'],
    ends: ['ok', 'ok'],
    after: 'a,b',
  },
  {
    claim: 'two gateways: a replace supersedes a merge that reads',
    world: TWO,
    writes: [comes(0, '+a'), comes(10, '= b', { replica: 1 })],
    fates: [attempt('answers')],
    sent: ['0 ms: read', '100 ms: b'],
    ends: ['superseded', 'ok'],
    after: 'b',
  },
  {
    claim:
      'two gateways: a merge does not supersede a replace that waits for its next attempt, and comes after it',
    world: TWO,
    writes: [comes(0, '= a'), comes(110, '+b', { replica: 1 })],
    fates: [attempt('answers 503 with Retry-After')],
    sent: ['0 ms: a', '1100 ms: a', '1100 ms: read', '1100 ms: a,b'],
    ends: ['ok', 'ok'],
    after: 'a,b',
  },
  {
    claim:
      'two gateways: a merge is not added to a replace that a newer one of the other gateway has superseded',
    world: TWO,
    writes: [comes(0, '= a'), comes(10, '= b'), comes(10, '= c', { replica: 1 }), comes(10, '+d')],
    fates: [attempt('answers')],
    sent: ['0 ms: a', '100 ms: c', '100 ms: read', '100 ms: c,d'],
    ends: ['ok', 'superseded', 'ok', 'ok'],
    after: 'c,d',
  },
];

for (const { claim, world = ONE, before = [], writes, fates = [], sent, ends, after } of ROWS) {
  t.test(claim, async (t) => {
    const scenario = { writes, fates: [...fates], chance: 0 as const, latenciesMs: [0] };
    const history = await simulate(scenario, { ...world, tags: before });
    const story = { story: String(history.timeline) };
    t.equal(contradiction(history, before), undefined, story);
    const due = sent.map(Number.parseFloat);
    // Who waits for a lease asks for it every 10 to 20 ms.
    const poll = world.isShared ? 60 : 0;
    const wanted = history.attempts.map(({ started, tags }, at) => {
      const from = due[at] ?? 0;
      return `${started >= from && started <= from + poll ? from : started} ms: ${tags ?? 'read'}`;
    });
    t.strictSame(wanted, sent, story);
    t.strictSame(
      history.writes.map(({ result }) => ending(result)),
      ends,
      story,
    );
    t.equal(`${history.tags}`, after, story);
  });
}
