import t from 'tap';
import type { Game } from './order/play.ts';
import { holds } from './order/player.ts';

const CLAIM = 'what clients change and read has an order in which it is all true, and CometChat is left so';

const TWO = { world: { replicas: 2, isShared: true }, changes: true };
const GAMES: readonly [place: string, Game][] = [
  ['one gateway', { world: { replicas: 1, isShared: false }, scenarios: 5000, changes: true }],
  ['one gateway with a Redis', { world: { replicas: 1, isShared: true }, scenarios: 1500, changes: true }],
  ['two gateways that share a Redis', { ...TWO, scenarios: 3000 }],
  ['two gateways whose Redis has a failover', { ...TWO, scenarios: 2000, failover: true }],
  ['two gateways, one of which is killed', { ...TWO, scenarios: 2000, killed: true }],
];

for (const [place, game] of GAMES) t.test(`${CLAIM}: ${place}`, (t) => holds(t, 'no-lost-change', game));
