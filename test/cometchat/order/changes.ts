import fc from 'fast-check';
import type { Change } from '../../../src/cometchat/change.ts';
import { type End, scenarioOf } from './scenario.ts';

/** Few enough that changes meet. */
const TAGS = ['a', 'b', 'c', 'd'];
/** With all of these and one more, CometChat's limit is near. */
const MANY = Array.from({ length: 22 }, (_, number) => `t${number}`);

const some = fc.subarray(TAGS);
const merge = fc
  .tuple(some, some)
  .map(
    ([add, others]): Change => ({ kind: 'merge', add, remove: others.filter((tag) => !add.includes(tag)) }),
  )
  .filter((change) => change.kind === 'merge' && change.add.length + change.remove.length > 0);
const replace = fc.oneof(
  some,
  some.map((tags) => [...MANY, ...tags.slice(0, 3)]),
);

/** What the clients of a scenario do: change single tags, replace all of them, read them. */
const anyChange: fc.Arbitrary<Change | 'read'> = fc.oneof(
  { weight: 5, arbitrary: merge },
  { weight: 2, arbitrary: replace.map((tags): Change => ({ kind: 'replace', tags })) },
  { weight: 2, arbitrary: fc.constant('read' as const) },
);

/** What CometChat has before. */
export const anyTags = fc.constantFrom([], ['a', 'x'], [...MANY, 'a']);

/** Scenarios in which changes meet. Every other client waits for its answer. */
export const changesOf = (end: fc.Arbitrary<End>) =>
  scenarioOf(end, anyChange).map((scenario) => ({
    ...scenario,
    writes: scenario.writes.map((write, at) => (at % 2 === 0 ? { ...write, leavesMs: null } : write)),
  }));
