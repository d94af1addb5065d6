import fc from 'fast-check';
import type { Change } from '../../../src/cometchat/change.ts';

/** A client's write to the one conversation of a scenario. */
const Write = {
  /** After the write before it. */
  gapMs: fc.oneof(fc.nat(6), fc.nat(60), fc.nat(900)),
  /** Which gateway it comes to, of as many as there are. */
  replica: fc.nat(1),
  /** The tags of the write before it once more, as an impatient tap sends them, or of the one before that; 0 for its own. */
  repeats: fc.constantFrom(0, 0, 1, 2),
  /** Its client leaves so long after it was sent. */
  leavesMs: fc.option(fc.oneof(fc.nat(10), fc.nat(600)), { freq: 5 }),
};

/** What becomes of an attempt. What is `written late` CometChat carries out after the gateway has seen the attempt end. */
export const ENDS = [
  'answers',
  'answers 503',
  'answers 503 and has written',
  'answers 503 with Retry-After',
  'answers 504 with Retry-After',
  'answers 504, written late',
  'answers 404',
  'breaks, written before',
  'breaks, written late',
  'breaks, never written',
  'is silent, written',
  'is silent, never written',
] as const;
export type End = (typeof ENDS)[number];

/** With these CometChat takes the tags before it answers, if it does. */
export const WRITES: ReadonlySet<End> = new Set([
  'answers',
  'answers 503 and has written',
  'breaks, written before',
  'is silent, written',
]);

/** Whether CometChat may carry it out after the gateway has seen it end. */
export const isInDoubt = (end: End): boolean => /^(?:breaks|is silent|answers 504)/.test(end);

const fateOf = (end: fc.Arbitrary<End>) =>
  fc.record({
    /** Between the turn and the wire: the quota asks Redis. A turn lasts a second. */
    beforeMs: fc.oneof(
      { weight: 8, arbitrary: fc.constant(0) },
      fc.nat(20),
      fc.integer({ min: 900, max: 1300 }),
    ),
    takesMs: fc.nat(9),
    answersMs: fc.oneof(fc.nat(9), fc.nat(250)),
    end,
  });
export type Fate = ReturnType<typeof fateOf> extends fc.Arbitrary<infer T> ? T : never;
export const GOOD: Fate = { beforeMs: 0, takesMs: 0, answersMs: 0, end: 'answers' };

/**
 * Writes, and what becomes of the attempts, in their order. What comes after the last fate goes well.
 *
 * @param change what is written; each time a tag of its own unless given
 */
export const scenarioOf = (
  end: fc.Arbitrary<End>,
  change: fc.Arbitrary<Change | 'read' | undefined> = fc.constant(undefined),
) =>
  fc.record({
    writes: fc.array(fc.record({ ...Write, change }), { minLength: 2, maxLength: 6 }),
    fates: fc.array(fateOf(end), { maxLength: 10 }),
    /** Of commands to Redis and of its replies, one after the other and over again. */
    latenciesMs: fc.array(fc.nat(10), { minLength: 1, maxLength: 5 }),
    /** Of the delay before another attempt: from none to the longest. */
    chance: fc.constantFrom(0, 0.1, 0.5, 1),
  });
export type Scenario = ReturnType<typeof scenarioOf> extends fc.Arbitrary<infer T> ? T : never;
