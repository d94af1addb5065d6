import t from 'tap';
import { applyAll, type Change, mergeInto } from '../../src/cometchat/change.ts';

const merge = (add: string[], remove: string[] = []): Change => ({ kind: 'merge', add, remove });
const replace = (...tags: string[]): Change => ({ kind: 'replace', tags });
/** An e with an accent, in one character and in two. */
const [NFC, NFD] = ['\u00e9', 'e\u0301'];

const ROWS: readonly [claim: string, before: string[], changes: Change[], after: string[]][] = [
  [
    'tags that are there stay where they are, new ones go to the end',
    ['b', 'a'],
    [merge(['c', 'a'])],
    ['b', 'a', 'c'],
  ],
  ['tags that are no business of the change stay as they are', [' odd ', 'a'], [merge([], ['a'])], [' odd ']],
  ['what is not there can be removed', ['a'], [merge([], ['b'])], ['a']],
  ['a removed tag is compared in NFC', [NFD, NFC, 'a'], [merge([], [NFC])], ['a']],
  ['an added tag is there as it was sent', [NFD], [merge([NFC])], [NFD, NFC]],
  ['a tag that is there twice is removed twice', ['a', 'b', 'a'], [merge([], ['a'])], ['b']],
  ['changes are applied one after the other', [], [merge(['a', 'b']), merge(['c'], ['a'])], ['b', 'c']],
  [
    'what is removed and added again stays where it is',
    ['a', 'b'],
    [merge([], ['a']), merge(['a'])],
    ['a', 'b'],
  ],
  ['it then has the form that was added', [NFD, 'b'], [merge([], [NFC]), merge([NFC])], ['b', NFC]],
  ['what is added and removed again is gone', ['b'], [merge(['a']), merge([], ['a'])], ['b']],
  [
    'a replace leaves nothing of what was before',
    ['a'],
    [merge(['b']), replace('c'), merge(['d'])],
    ['c', 'd'],
  ],
];

for (const [claim, before, changes, after] of ROWS) {
  t.test(claim, async (t) => {
    const applied = applyAll(changes, before);
    t.strictSame(applied.tags, after);
    t.equal(applied.refused.size, 0);
    const [first] = changes;
    if (first?.kind === 'replace') return;
    t.strictSame([...applyAll(changes, applied.tags).tags].sort(), [...after].sort(), 'and once more');
  });
}

t.test('a merge that would make more than 25 tags is left out, and those after it are not', async (t) => {
  const before = Array.from({ length: 24 }, (_, number) => `t${number}`);
  const changes = [merge(['x', 'y']), merge(['z']), merge(['x'], ['t0'])];
  const { tags, refused, merge: whole } = applyAll(changes, before);
  t.strictSame([...refused], [changes[0]]);
  t.strictSame(tags, [...before.slice(1), 'z', 'x']);
  t.strictSame(mergeInto(tags, whole), tags, 'applied once more they change nothing');
});
