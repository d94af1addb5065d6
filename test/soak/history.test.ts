import t from 'tap';
import { History } from '../../soak/history.ts';
import type { Change } from '../../src/cometchat/change.ts';

interface Row {
  readonly claim: string;
  /** Milliseconds and what happens: `0 A = a; 1 B + b - a; 5 takes b; 9 A gets 200; 9 read since 7: a,b`. */
  readonly steps: string;
  /** Nothing unless given. */
  readonly finds?: Partial<History['violations']>;
}

const GOOD: readonly Row[] = [
  {
    claim: 'changes one after the other, and what is read between them',
    steps: `0 A = a; 5 takes a; 9 A gets 200; 10 B + b; 15 takes a,b; 19 B gets 200; 20 C + c - a;
      25 takes b,c; 29 C gets 200; 35 read since 30: b,c; 40 D = d; 45 takes d; 49 D gets 200;
      55 read since 50: d`,
  },
  {
    claim: 'a read beside a change may have the set before it or after it',
    steps: `0 A = a; 5 takes a; 9 A gets 200; 10 B + b; 15 takes a,b; 19 B gets 200; 17 read since 12: a;
      18 read since 12: a,b`,
  },
  {
    claim: 'changes that were composed: each one before has removed nothing but what it may',
    steps: `0 A = a; 5 takes a; 9 A gets 200; 10 B = b; 11 C + c; 12 D + d - b; 20 takes c,d; 24 B gets 200;
      24 C gets 200; 24 D gets 200`,
  },
  {
    claim: 'a change that got a 200 without being there: one that was composed with it has removed it',
    steps: '0 A + a; 1 B + b - a; 5 takes b; 9 A gets 200; 9 B gets 200',
  },
  {
    claim: 'a replace that was answered late replaces what came meanwhile',
    steps: '0 A = a; 1 B + b; 5 takes b; 9 B gets 200; 20 takes a; 29 A gets 200',
  },
  {
    claim: 'a change that failed may have been made',
    steps: '0 A = a; 5 takes a; 9 A gets 200; 10 B = b; 15 takes b; 16 B gets cometchat-failed',
  },
  {
    claim: 'the change of a client that has left may be made later',
    steps: '0 A = a; 5 takes a; 9 A gets 200; 10 B = b; 3060 B gets client left; 1000 takes b',
  },
  {
    claim: 'a change that was refused is not there, and what it was to remove is',
    steps: '0 A = a; 5 takes a; 9 A gets 200; 10 B + b - a; 19 B gets too-many-tags; 20 read since 19: a',
  },
  {
    claim: 'a change that is asked for once more is made once more',
    steps: `0 A + a; 5 takes a; 9 A gets 200; 10 B + b - a; 15 takes b; 19 B gets 200; 20 A + a;
      25 takes b,a; 29 A gets 200`,
  },
];

const BAD: readonly Row[] = [
  {
    claim: 'of two merges from the same set the second loses the first',
    steps: '0 A + a; 1 B + b; 5 takes a; 9 A gets 200; 10 takes b; 14 B gets 200',
    finds: { lost: 1 },
  },
  {
    claim: 'a tag is gone, and the only change that removes it was refused',
    steps: `0 A + a; 5 takes a; 9 A gets 200; 10 B + b - a; 11 C + c; 15 takes c; 18 B gets too-many-tags;
      19 C gets 200`,
    finds: { lost: 1 },
  },
  {
    claim: 'a tag is gone, and the replace beside it had come to its end before',
    steps: `0 A + a; 1 B = b; 5 takes b; 9 B gets 200; 12 takes b,a; 14 A gets 200; 20 C + c; 25 takes b,c;
      29 C gets 200`,
    finds: { lost: 1 },
  },
  {
    claim: 'an older replace lands late, over a newer change',
    steps: '0 A = a; 9 A gets cometchat-timeout; 10 B + b; 15 takes b; 19 B gets 200; 20 takes a',
    finds: { lost: 1, final: 1 },
  },
  {
    claim: 'an older replace lands late, over a newer replace',
    steps: '0 A = a; 9 A gets cometchat-failed; 10 B = b; 15 takes b; 19 B gets 200; 20 takes a',
    finds: { lost: 1, order: 1, final: 1 },
  },
  {
    claim: 'a replace leaves what was there',
    steps: '0 A + a; 5 takes a; 9 A gets 200; 10 B = b; 15 takes a,b; 19 B gets 200',
    finds: { order: 1 },
  },
  {
    claim: 'a tag is there again after it was removed',
    steps: `0 A + a; 5 takes a; 9 A gets 200; 10 B + b - a; 15 takes b; 19 B gets 200; 20 C + c;
      25 takes a,b,c; 29 C gets 200`,
    finds: { order: 1 },
  },
  {
    claim: 'a tag that nobody has asked for',
    steps: '0 A + a; 5 takes x,a; 9 A gets 200',
    finds: { order: 1 },
  },
  {
    claim: 'a replace got a 200, and was never applied',
    steps: '0 A = a; 5 takes a; 9 A gets 200; 10 B = b; 19 B gets 200',
    finds: { missing: 1, final: 1 },
  },
  {
    claim: 'a merge got a 200 before it was applied',
    steps: '0 A + a; 9 A gets 200; 10 takes a',
    finds: { missing: 1 },
  },
  {
    claim: 'a merge that would make too many tags is applied',
    steps: '0 A + a; 5 takes a; 9 A gets too-many-tags',
    finds: { refused: 1 },
  },
  {
    claim: 'a change is applied after the answer that nothing was changed',
    steps: '0 A = a; 9 A gets cometchat-unavailable; 15 takes a',
    finds: { refused: 1 },
  },
  {
    claim: 'a write that was superseded lands when no attempt of it can be under way any more',
    steps: '0 A = a; 9 A gets superseded; 1600 takes a',
    finds: { refused: 1 },
  },
  {
    claim: 'a read gets a set from before the last change',
    steps: '0 A = a; 5 takes a; 9 A gets 200; 10 B = b; 15 takes b; 19 B gets 200; 25 read since 20: a',
    finds: { reads: 1 },
  },
  {
    claim: 'a read gets a set that comes later',
    steps: '0 A = a; 4 read since 1: a; 5 takes a; 9 A gets 200',
    finds: { reads: 1 },
  },
  {
    claim: 'a read gets somebody else’s tags, and one gets a part of its own',
    steps: `0 A = a; 5 takes a; 9 A gets 200; 10 B + b; 15 takes a,b; 19 B gets 200; 25 read since 20: x;
      26 read since 20: b`,
    finds: { reads: 2 },
  },
  {
    claim: 'a conversation that nobody has changed has tags',
    steps: '5 read since 1: a',
    finds: { reads: 1 },
  },
];

const NONE: History['violations'] = { lost: 0, order: 0, missing: 0, final: 0, refused: 0, reads: 0 };
const NAME = 'me with you';

for (const { claim, steps } of GOOD) {
  t.test(`the soak finds nothing wrong: ${claim}`, async (t) => {
    const { violations, examples } = play(steps);
    t.strictSame(violations, NONE, { examples });
  });
}
for (const { claim, steps, finds } of BAD) {
  t.test(`the soak finds it: ${claim}`, async (t) => {
    const { violations, examples } = play(steps);
    t.strictSame(violations, { ...NONE, ...finds }, { examples });
    t.match(examples[0], NAME);
  });
}

t.test('what is long over is forgotten, but not what CometChat has', async (t) => {
  const history = new History();
  play('0 A = a; 5 takes a; 9 A gets 200; 10 B + b - a; 15 takes b; 19 B gets 200', history);
  history.prune(60_000);
  history.taken(NAME, ['b', 'a'], 60_001);
  t.match(history.violations, { order: 1, lost: 0 });
});

/** Feeds the steps in their order, and ends the run. */
function play(steps: string, history = new History()): History {
  const requests = new Map<string, ReturnType<History['sent']>>();
  for (const step of steps.split(/;\s+/)) {
    const [time = '', who = '', ...words] = step.split(' ');
    const [at, rest] = [Number(time), words.join(' ')];
    if (who === 'takes') history.taken(NAME, rest.split(','), at);
    else if (who === 'read') {
      const [, since, tags = ''] = /^since (\d+): (.*)$/.exec(rest) ?? [];
      history.read(NAME, { tags: tags.split(','), sentAt: Number(since) }, at);
    } else if (rest.startsWith('gets ')) {
      history.done(requests.get(who) as ReturnType<History['sent']>, rest.slice(5), at);
    } else requests.set(who, history.sent(NAME, changeOf(words), at));
  }
  history.finish();
  return history;
}

/** `= a` replaces, `+ b - a` merges. */
function changeOf(words: readonly string[]): Change {
  const after = (sign: string) =>
    words.includes(sign) ? (words[words.indexOf(sign) + 1] as string).split(',') : [];
  return words[0] === '='
    ? { kind: 'replace', tags: after('=') }
    : { kind: 'merge', add: after('+'), remove: after('-') };
}
