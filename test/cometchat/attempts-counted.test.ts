import t from 'tap';
import { countAttempts } from '../../src/cometchat/attempts.ts';
import { failedExchange } from '../../src/cometchat/errors.ts';
import type { Outcome } from '../../src/cometchat/outcome.ts';
import { countsOf } from '../helpers/metrics.ts';
import { services } from '../helpers/room.ts';

t.test('attempts are counted by their result, and passed on', async (t) => {
  for (const [result, outcome] of [
    ['ok', { ok: true, status: 200, value: [] }],
    ['cometchat-failed', failedExchange('ECONNREFUSED')],
    ['client_gone', failedExchange('client_gone')],
  ] as const) {
    const { metrics, ...around } = services();
    const step = countAttempts((async () => outcome) as never, { metrics, ...around });
    t.equal(await step({} as never), outcome as Outcome<never>, result);
    const attempts = Object.entries(await countsOf(metrics)).filter(([, count]) => count > 0);
    t.strictSame(attempts, [[`attempts ${result}`, 1]]);
  }
});
