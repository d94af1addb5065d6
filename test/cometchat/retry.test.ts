import t from 'tap';
import type { Failure } from '../../src/cometchat/call.ts';
import { isTransient, isUnsettled, RetryBudget, retryDelay } from '../../src/cometchat/retry.ts';

const failed = (errorType: string, more: Partial<Failure> = {}): Failure => ({
  ok: false,
  problem: 'cometchat-failed',
  errorType,
  ...more,
});
const coded = (code: string, status: number) => failed(code, { code, status });
const bare = (status: number) => failed(String(status), { status });
const REFUSED = failed('ECONNREFUSED');

t.test('another try is made where the next one may succeed', async (t) => {
  for (const code of [
    'EAI_AGAIN',
    'ECONNABORTED',
    'ECONNREFUSED',
    'ECONNRESET',
    'EHOSTUNREACH',
    'ENETDOWN',
    'ENETUNREACH',
    'ENOTFOUND',
    'EPIPE',
    'ETIMEDOUT',
  ]) {
    t.ok(isTransient(failed(code)), code);
  }
  for (const status of [408, 429, 502, 503, 504]) t.ok(isTransient(bare(status)), String(status));
  t.ok(isTransient(failed('timeout_response', { problem: 'cometchat-timeout' })));
  for (const code of [
    'ERR_MISSION_FAILED',
    'ERR_OPERATION_FAILED',
    'ERR_EXCEPTION',
    'ERR_BAD_ERROR_RESPONSE',
  ]) {
    t.ok(isTransient(coded(code, 500)), code);
  }
  t.ok(isTransient(coded('ERR_TOO_MANY_REQUESTS', 400)), 'the code decides before the status');
  t.ok(isTransient(coded('ERR_NEW', 503)), 'and the status where nobody knows the code');
});

t.test('none is made where it would end the same', async (t) => {
  for (const code of [
    'CERT_HAS_EXPIRED',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'HPE_INVALID_CONSTANT',
    'reply_too_large',
  ]) {
    t.notOk(isTransient(failed(code)), code);
  }
  for (const status of [200, 301, 400, 401, 403, 404, 422, 500])
    t.notOk(isTransient(bare(status)), String(status));
  t.notOk(isTransient(coded('ERR_UID_NOT_FOUND', 503)));
  t.notOk(isTransient(failed('client_gone')));
});

t.test('the wait grows, and the whole of it is left to chance', async (t) => {
  t.equal(retryDelay(1, REFUSED, 3000, 0), 0);
  t.equal(retryDelay(1, REFUSED, 3000, 0.5), 100);
  t.equal(retryDelay(1, REFUSED, 3000, 1), 200);
  t.equal(retryDelay(2, REFUSED, 3000, 0.5), 300);
});

t.test('there are three tries at most, and none of a failure that stays', async (t) => {
  t.equal(retryDelay(3, REFUSED, 3000, 0), undefined);
  t.equal(retryDelay(1, bare(500), 3000, 0), undefined);
});

t.test('Retry-After is obeyed where it fits into the time left, else there is no other try', async (t) => {
  const busy = failed('429', { status: 429, retryAfterSeconds: 2 });
  t.equal(retryDelay(1, busy, 3000, 0), 2000);
  t.equal(retryDelay(1, busy, 3000, 0.5), 2100, 'those who failed together do not come back together');
  t.equal(retryDelay(1, busy, 2050, 0), 2000);
  t.equal(retryDelay(1, busy, 2049, 0), undefined);
});

t.test('no try is begun that has no time to end', async (t) => {
  t.equal(retryDelay(1, REFUSED, 50, 0), 0);
  t.equal(retryDelay(1, REFUSED, 49, 0), undefined);
  t.equal(retryDelay(1, REFUSED, 100, 1), undefined);
});

t.test('retries are a tenth of the calls, and ten beside', async (t) => {
  const budget = new RetryBudget();
  const spend = (now: number) => {
    let granted = 0;
    while (budget.spend(now)) granted += 1;
    return granted;
  };
  t.equal(spend(0), 10, 'an app that is hardly used has some');
  for (let n = 0; n < 100; n += 1) budget.call(1000);
  t.equal(spend(1000), 10);
  t.equal(spend(9999), 0);
  t.equal(spend(10_000), 0, 'the ten seconds before count, calls and retries');
  for (let n = 0; n < 50; n += 1) budget.call(10_000);
  t.equal(spend(10_000), 5);
  t.equal(spend(20_000), 10, 'and no others: fifty calls and five retries');
  t.equal(spend(90_000), 10);
});

t.test('what CometChat may still be at is told from what it has not got, or is done with', async (t) => {
  const timeout = (phase: string) => failed(`timeout_${phase}`, { problem: 'cometchat-timeout' });
  for (const phase of ['send', 'response', 'request', 'socket']) t.ok(isUnsettled(timeout(phase)), phase);
  for (const phase of ['lookup', 'connect', 'secureConnect']) t.notOk(isUnsettled(timeout(phase)), phase);
  for (const code of ['ECONNRESET', 'EPIPE', 'client_gone', 'reply_upgrade'])
    t.ok(isUnsettled(failed(code)), code);
  for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'CERT_HAS_EXPIRED', 'HPE_INVALID_CONSTANT']) {
    t.notOk(isUnsettled(failed(code)), code);
  }
  for (const status of [502, 504]) t.ok(isUnsettled(bare(status)), String(status));
  for (const status of [200, 404, 429, 500, 503]) t.notOk(isUnsettled(bare(status)), String(status));
  t.notOk(isUnsettled(coded('ERR_EXCEPTION', 502)));
});
