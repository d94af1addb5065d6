import t from 'tap';
import { retryAfterSeconds } from '../../src/cometchat/retry-after.ts';
import { build, isProblem } from '../helper.ts';

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
      t.equal(retryAfterSeconds(headers, NOW), seconds, JSON.stringify(headers).slice(0, 60));
    }
  },
);

t.test('clients of a rate-limited app are told how long to wait', async (t) => {
  const { put, sandbox } = await build(t);
  const body = { error: { code: 'ERR_TOO_MANY_REQUESTS', message: 'private' } };
  sandbox.fault({ status: 429, headers: { 'retry-after': '7' }, body }, { status: 429, body });
  for (const seconds of ['7', '60']) {
    const answer = await put({ tags: [] });
    isProblem(t, answer, 503, 'cometchat-busy');
    t.equal(answer.headers.get('retry-after'), seconds);
  }
});
