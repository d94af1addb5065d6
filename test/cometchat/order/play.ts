import fc from 'fast-check';
import { timeline } from './history.ts';
import { brokenPromise } from './promises.ts';
import { ENDS, scenarioOf } from './scenario.ts';
import { simulate, type World } from './simulation.ts';

// Plays scenarios in a process of its own, at full speed: in that of a test tap watches every promise, and coverage keeps V8
// from optimising.

const { world, scenarios } = JSON.parse(process.argv[2] ?? '') as { world: World; scenarios: number };
const property = fc.asyncProperty(scenarioOf(fc.constantFrom('answers', ...ENDS)), async (scenario) => {
  const history = await simulate(scenario, world);
  const broken = brokenPromise(history);
  if (broken) throw new Error(`${broken}\n${timeline(history)}`);
});
const { failed, errorInstance, counterexample, seed, numRuns } = await fc.check(property, {
  numRuns: scenarios,
});
const story = failed
  ? [`seed ${seed}`, (errorInstance as Error).message, JSON.stringify(counterexample)].join('\n')
  : undefined;
process.stdout.write(JSON.stringify({ played: numRuns, story }));
