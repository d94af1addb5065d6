import t from 'tap';
import { rateLimitSeconds, retryAfterSeconds } from '../../src/cometchat/reply.ts';

const NOW = 1_800_000_000;
const httpDate = (seconds: number) => new Date(seconds * 1000).toUTCString();

t.test(
  'seconds or a date, else the reset of either spelling, else a minute; between 1 s and 1 h',
  async (t) => {
    const cases: [Record<string, string>, number][] = [
      [{ 'retry-after': '5' }, 5],
      [{ 'retry-after': httpDate(NOW + 30) }, 30],
      [{ 'retry-after': '0' }, 1],
      [{ 'retry-after': httpDate(NOW - 30) }, 1],
      [{ 'retry-after': '999999999999' }, 3600],
      [{ 'retry-after': '9'.repeat(400) }, 3600],
      [{ 'retry-after': '-1' }, 60],
      [{ 'retry-after': '1.5' }, 60],
      [{ 'retry-after': '5, 6' }, 60],
      [{ 'retry-after': 'soon' }, 60],
      [{ 'retry-after': 'Soon' }, 60],
      [{ 'retry-after': '' }, 60],
      [{ 'x-rate-limit-reset': String(NOW + 17) }, 17],
      [{ 'x-ratelimit-reset': String(NOW + 18) }, 18],
      [{ 'x-ratelimit-reset': 'soon' }, 60],
      [{ 'retry-after': 'soon', 'x-rate-limit-reset': String(NOW + 19) }, 19],
      [{}, 60],
    ];
    for (const [headers, seconds] of cases) {
      t.equal(rateLimitSeconds(headers, NOW), seconds, JSON.stringify(headers).slice(0, 60));
    }
  },
);

t.test('without a rate limit only Retry-After counts', async (t) => {
  t.equal(retryAfterSeconds({ 'retry-after': '7' }, NOW), 7);
  t.equal(
    retryAfterSeconds({ 'retry-after': 'soon', 'x-rate-limit-reset': String(NOW + 9) }, NOW),
    undefined,
  );
});
