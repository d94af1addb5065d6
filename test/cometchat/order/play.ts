import fc from 'fast-check';
import { brokenPromise } from './promises.ts';
import { ENDS, scenarioOf } from './scenario.ts';
import { simulate, type World } from './simulation.ts';

// Plays scenarios in a process of its own, at full speed: in that of a test tap watches every promise, and coverage keeps V8
// from optimising.

const { world, scenarios } = JSON.parse(process.argv[2] ?? '') as { world: World; scenarios: number };
const { SEED } = process.env;
const scenario = scenarioOf(fc.constantFrom('answers', ...ENDS));
/** A doubt lasts as long as an attempt, and half a deadline at most: two seconds is the deadline. */
const attemptTimeoutMs = fc.constantFrom(300, 1500);
const property = fc.asyncProperty(scenario, attemptTimeoutMs, async (scenario, attemptTimeoutMs) => {
  const history = await simulate(scenario, { ...world, attemptTimeoutMs });
  const broken = brokenPromise(history);
  if (broken) throw new Error(`${broken}\n${history.timeline}`);
});
const { failed, errorInstance, seed, numRuns } = await fc.check(property, {
  numRuns: scenarios,
  ...(SEED && { seed: Number(SEED) }),
});
const found = failed && { seed, story: (errorInstance as Error).message };
process.stdout.write(JSON.stringify({ played: numRuns, ...found }));
