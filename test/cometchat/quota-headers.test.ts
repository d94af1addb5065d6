import t from 'tap';
import { readQuota } from '../../src/cometchat/reply.ts';

t.test('both of CometChat’s spellings are read', async (t) => {
  const quota = { limit: 500, remaining: 0, reset: 1_800_000_000 };
  t.strictSame(
    readQuota({ 'x-rate-limit': '500', 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '1800000000' }),
    quota,
  );
  t.strictSame(
    readQuota({
      'x-ratelimit-limit': '500',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '1800000000',
    }),
    quota,
  );
});

t.test('what is missing or no number says nothing', async (t) => {
  const good = { 'x-rate-limit': '500', 'x-rate-limit-remaining': '7', 'x-rate-limit-reset': '1800000000' };
  for (const name of Object.keys(good)) {
    for (const value of [undefined, '', '-1', '1e3', 'soon', '9'.repeat(16)]) {
      t.equal(readQuota({ ...good, [name]: value }), undefined, `${name}: ${value}`);
    }
  }
  t.equal(readQuota({ ...good, 'x-rate-limit': '0' }), undefined, 'no app has a quota of nothing');
});
