import type { Test } from 'tap';
import { jwksSessions } from '../../src/session/jwks.ts';
import { RemoteKeys, SCHEDULE } from '../../src/session/remote-keys.ts';
import { issuer } from '../helpers/issuer.ts';
import { countsOf } from '../helpers/metrics.ts';
import { services } from '../helpers/room.ts';
import { RULES } from '../helpers/tokens.ts';
import { throwing } from './throwing.ts';

/** An identity provider, and a verifier of its tokens whose clock is the test's. */
export async function providerSessions(
  t: Test,
  { alg = 'ES256', schedule = {} }: { alg?: string; schedule?: Partial<typeof SCHEDULE> } = {},
) {
  const provider = await issuer(t, alg);
  const clock = { now: 0 };
  const logged: unknown[][] = [];
  const at =
    (level: string) =>
    (...args: unknown[]) =>
      void logged.push([level, ...args]);
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const { metrics } = services();
  const keys = new RemoteKeys(provider.url, { log, metrics }, { ...SCHEDULE, ...schedule }, () => clock.now);
  t.teardown(() => keys.close());
  return {
    provider,
    clock,
    /** The level, fields and message of each line. */
    logged,
    keys,
    verify: throwing(jwksSessions(RULES, keys, log)),
    counts: () => countsOf(metrics),
  };
}
