import fc from 'fast-check';
import { anyTags, changesOf } from './changes.ts';
import { contradiction } from './model.ts';
import { brokenPromise } from './promises.ts';
import { ENDS, scenarioOf } from './scenario.ts';
import { simulate, type World } from './simulation.ts';

// Plays scenarios in a process of its own, at full speed: in that of a test tap watches every promise, and coverage keeps V8
// from optimising.

/** What is played where, and how many scenarios. */
export interface Game {
  readonly world: World;
  readonly scenarios: number;
  /** Whether single tags are changed and read as well, or all are replaced each time. */
  readonly changes: boolean;
  /** Whether one of the gateways is killed. */
  readonly killed?: boolean;
  /** Whether Redis has a failover. */
  readonly failover?: boolean;
}

const {
  world,
  scenarios,
  changes,
  killed,
  failover: hasFailover,
} = JSON.parse(process.argv[2] ?? '') as Game;
const { SEED } = process.env;
const end = fc.constantFrom('answers', ...ENDS);
const scenario = changes ? changesOf(end) : scenarioOf(end);
/** A doubt lasts as long as an attempt, and half a deadline at most: two seconds is the deadline. */
const attemptTimeoutMs = fc.constantFrom(300, 1500);
const killedMs = killed ? fc.nat(1500) : fc.constant(undefined);
/** Shorter than a write waits for its turn meanwhile. */
const failover = hasFailover
  ? fc.record({ fromMs: fc.nat(1000), forMs: fc.integer({ min: 1, max: 1800 }) })
  : fc.constant(undefined);
const property = fc.asyncProperty(
  scenario,
  fc.record({ attemptTimeoutMs, tags: anyTags, killedMs, failover }),
  async (scenario, more) => {
    const history = await simulate(scenario, { ...world, ...more });
    const broken = changes ? contradiction(history, more.tags) : brokenPromise(history);
    if (broken) throw new Error(`${broken}\n${history.timeline}`);
  },
);
const { failed, errorInstance, seed, numRuns } = await fc.check(property, {
  numRuns: scenarios,
  ...(SEED && { seed: Number(SEED) }),
});
const found = failed && { seed, story: (errorInstance as Error).message };
process.stdout.write(JSON.stringify({ played: numRuns, ...found }));
