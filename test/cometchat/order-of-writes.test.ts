import t from 'tap';
import { holds } from './order/player.ts';
import type { World } from './order/simulation.ts';

/** Where writes meet, and how many scenarios are played there. */
const WORLDS: readonly [place: string, World, scenarios: number][] = [
  ['one gateway', { replicas: 1, isShared: false }, 5500],
  ['one gateway with a Redis', { replicas: 1, isShared: true }, 1500],
  ['two gateways that share a Redis', { replicas: 2, isShared: true }, 3000],
];

for (const [place, world, scenarios] of WORLDS) {
  t.test(`an older write never lands on a newer one: ${place}`, (t) =>
    holds(t, 'order-of-writes', { world, scenarios, changes: false }),
  );
}
