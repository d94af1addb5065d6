import { PassThrough } from 'node:stream';
import { collectDefaultMetrics } from 'prom-client';
import type { Test } from 'tap';
import { rotateSecrets } from '../../src/operations/secrets.ts';
import { Stdout } from '../../src/operations/stdout.ts';
import { fakeRedis } from './fake-redis.ts';
import { startGateway } from './gateway.ts';
import { issuer } from './issuer.ts';
import { samplesOf } from './metrics.ts';

/** What a gateway that has all its parts, and has answered at each address, has counted: the values of each label of each metric. */
export async function counted(t: Test): Promise<Map<string, Map<string, Set<string>>>> {
  const provider = await issuer(t, 'ES256');
  const secrets = {
    variables: { current: {} },
    rotating: {},
    log: { secrets: { current: [] } },
    warnings: [],
  };
  const { app, put, list, get } = await startGateway(
    t,
    { ...provider.env, REDIS_URL: await fakeRedis(t, { exists: '-ERR', get: '$-1' }) },
    {
      extend: (app) =>
        rotateSecrets(app, {
          metrics: app.metrics,
          current: secrets,
          files: [],
          reload: () => secrets,
        }),
    },
  );
  collectDefaultMetrics({ register: app.metrics.registry });
  new Stdout(new PassThrough()).follow(app.log, app.metrics);
  const authorization = `Bearer ${await provider.key.sign()}`;
  const body = { tags: ['vip'], conversationWith: 'cometchat-uid-3' };
  t.equal((await put(body, { authorization })).status, 200);
  t.equal((await list({}, { authorization })).status, 200);
  // One whose session Redis cannot be asked about; and whether the replica is ready.
  await put({ tags: [] }, { authorization: `Bearer ${await provider.key.sign({ jti: 'a' })}` });
  await get('/readyz');
  const metrics = new Map<string, Map<string, Set<string>>>();
  for (const { name, labels } of await samplesOf(app.metrics)) {
    const known = metrics.get(name) ?? new Map<string, Set<string>>();
    metrics.set(name, known);
    for (const [label, value] of Object.entries(labels)) {
      known.set(label, (known.get(label) ?? new Set()).add(value));
    }
  }
  return metrics;
}
