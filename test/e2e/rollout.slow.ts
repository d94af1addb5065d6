import { startFleet, users } from '../helpers/fleet.ts';
import { testWith } from '../helpers/installed.ts';

const ROUNDS = 10;

testWith(
  'nginx',
  'gateways are replaced behind nginx, ten times under load, and no request fails',
  async (t) => {
    const { gateways, origin } = await startFleet(t, { SHUTDOWN_DRAIN_MS: '300' });
    const { end } = await users(t, origin);
    for (let round = 0; round < ROUNDS; round += 1) {
      const gateway = gateways[round % gateways.length] as (typeof gateways)[number];
      gateway.child.process.kill('SIGTERM');
      t.equal(await gateway.child.exit(), 0);
      await gateway.start();
    }
    const { 200: served = 0, ...others } = await end();
    t.strictSame(others, {});
    t.ok(served > 1000, `${served} requests`);
  },
);
