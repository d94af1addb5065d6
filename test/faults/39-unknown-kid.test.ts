import t from 'tap';
import { jwksSessions } from '../../src/session/jwks.ts';
import { RemoteKeys, SCHEDULE } from '../../src/session/remote-keys.ts';
import { AUDIENCE, ISSUER, services } from '../helper.ts';
import { IssuerKey, issuer } from '../issuer.ts';
import { faulty } from './faulty.ts';

t.test('a thousand tokens of an unknown key make one fetch', async (t) => {
  const provider = await issuer(t);
  const { put, refused, served } = await faulty(t, provider.env);
  t.equal(provider.fetches, 1, 'the keys are there before the first request');
  const token = await (await IssuerKey.create('unknown')).sign();
  const answers = [];
  for (let batch = 0; batch < 10; batch += 1) {
    const calls = Array.from({ length: 100 }, () => put({ tags: [] }, { authorization: `Bearer ${token}` }));
    answers.push(...(await Promise.all(calls)));
  }
  t.ok(answers.every(({ status, json }) => status === 401 && json.code === 'session-invalid'));
  t.equal(answers.length, 1000);
  t.equal(provider.fetches, 2);
  await refused(t, answers[0] as (typeof answers)[0], 401, 'session-invalid');
  await served(t, await put({ tags: [] }, { authorization: `Bearer ${await provider.key.sign()}` }));
});

t.test('the next fetch for an unknown key waits for the cooldown, failed ones too', async (t) => {
  const provider = await issuer(t);
  let now = 0;
  const { log, metrics } = services();
  const keys = new RemoteKeys(provider.url, { log, metrics }, SCHEDULE, () => now);
  t.teardown(() => keys.close());
  const verify = jwksSessions({ issuer: ISSUER, audience: AUDIENCE }, keys, log);
  const token = await (await IssuerKey.create('unknown')).sign();

  await t.rejects(verify(token), { code: 'session-invalid' });
  t.equal(provider.fetches, 1);
  now += SCHEDULE.cooldownMs - 1;
  await t.rejects(verify(token), { code: 'session-invalid' });
  t.equal(provider.fetches, 1, 'a millisecond before its end');
  now += 1;
  provider.reply = { status: 500 };
  await t.rejects(verify(token), { code: 'session-store-unavailable' });
  t.equal(provider.fetches, 2, 'it is over');
  now += SCHEDULE.cooldownMs - 1;
  await t.rejects(verify(token), { code: 'session-store-unavailable' });
  t.equal(provider.fetches, 2, 'the failed one counts');
  now += 1;
  await keys.refresh();
  t.equal(provider.fetches, 3);
  await t.rejects(verify(token), { code: 'session-store-unavailable' });
  t.equal(provider.fetches, 3, 'one that nobody asked for counts, too');
  now += SCHEDULE.cooldownMs;
  provider.reply = undefined;
  await t.rejects(verify(token), { code: 'session-invalid' });
  t.equal(provider.fetches, 4);
  t.match(await metrics.registry.metrics(), /key_fetches_total\{result="ok"\} 2[\s\S]*result="failed"\} 2/);
});
