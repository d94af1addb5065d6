import t from 'tap';
import { Child } from '../helpers/process.ts';
import type { World } from './order/simulation.ts';

/** Where writes meet, and how many scenarios are played there. One that fails shrinks to the shortest that does. */
const WORLDS: readonly [place: string, World, scenarios: number][] = [
  ['one gateway', { replicas: 1, isShared: false }, 5500],
  ['one gateway with a Redis', { replicas: 1, isShared: true }, 1500],
  ['two gateways that share a Redis', { replicas: 2, isShared: true }, 3000],
];

for (const [place, world, scenarios] of WORLDS) {
  t.test(`an older write never lands on a newer one: ${place}`, async (t) => {
    const { SEED = '' } = process.env;
    const player = new Child(t, ['test/cometchat/order/play.ts', JSON.stringify({ world, scenarios })], {
      SEED,
    });
    t.equal(await player.exit(), 0, `the player ends well; it says: ${player.stderr}`);
    const { played, seed, story } = JSON.parse(player.stdout);
    if (!story) return t.equal(played, scenarios, 'scenarios played');
    const [broken, ...timeline] = story.split('\n');
    const again = `SEED=${seed} npx tap --allow-incomplete-coverage test/cometchat/order-of-writes.test.ts`;
    return t.fail(broken, { timeline: timeline.join('\n'), again });
  });
}
