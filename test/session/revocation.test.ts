import { fastify } from 'fastify';
import t from 'tap';
import { replyWithProblems } from '../../src/http/problem-replies.ts';
import { refused } from '../../src/session/reasons.ts';
import type { Revocation } from '../../src/session/revocation.ts';
import { session } from '../../src/session/session.ts';
import { services } from '../helpers/room.ts';
import { until } from '../helpers/until.ts';

for (const [status, refusal] of [
  [200, undefined],
  [401, refused('revoked')],
  [503, refused('unchecked')],
] as const) {
  t.test(
    `no route has a request before it is known whether its session was revoked: ${status}`,
    async (t) => {
      const revocation = Promise.withResolvers<Awaited<Revocation>>();
      const begun: string[] = [];
      const served: string[] = [];
      const app = fastify();
      t.teardown(() => app.close());
      replyWithProblems(app);
      await app.register(session, {
        verify: async () => ({ jti: 'a' }),
        revocationOf: () => revocation.promise,
        cookieName: undefined,
        origins: new Set<string>(),
        metrics: services().metrics,
      });
      // Whatever comes between does not wait.
      app.addHook('onRequest', async ({ method }) => void begun.push(method));
      for (const method of ['GET', 'PUT']) {
        app.route({ method, url: '/', handler: async () => `${served.push(method)}` });
      }
      const origin = await app.listen({ port: 0 });
      const headers = { authorization: 'Bearer x' };
      const answers = ['GET', 'PUT'].map((method) => fetch(origin, { method, headers }));
      await until('both requests', () => begun.length === 2);
      await new Promise(setImmediate);
      t.strictSame(served, []);
      revocation.resolve(refusal);
      for (const answer of await Promise.all(answers)) t.equal(answer.status, status);
      t.strictSame(served.sort(), refusal ? [] : ['GET', 'PUT']);
    },
  );
}
