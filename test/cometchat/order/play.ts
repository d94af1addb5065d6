import { parentPort, workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { timeline } from './history.ts';
import { brokenPromise } from './promises.ts';
import { ENDS, scenarioOf } from './scenario.ts';
import { simulate, type World } from './simulation.ts';

// Plays scenarios in a thread of its own: tap watches every promise of the main one, which takes half of the time.

const { world, scenarios } = workerData as { world: World; scenarios: number };
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
parentPort?.postMessage({ played: numRuns, story });
