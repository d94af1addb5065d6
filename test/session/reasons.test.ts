import { errors } from 'jose';
import t from 'tap';
import { ProblemError } from '../../src/base/problem-error.ts';
import { asRefusal, REASONS, refused } from '../../src/session/reasons.ts';

t.test('each reason belongs to one problem', async (t) => {
  const problems = REASONS.map((reason) => {
    const error = refused(reason);
    t.equal(error.reason, reason);
    return [reason, error.code];
  });
  t.strictSame(Object.fromEntries(problems), {
    missing: 'session-missing',
    malformed: 'session-invalid',
    algorithm: 'session-invalid',
    unknown_key: 'session-invalid',
    signature: 'session-invalid',
    unknown: 'session-invalid',
    claim: 'session-invalid',
    expired: 'session-expired',
    revoked: 'session-revoked',
    unchecked: 'session-store-unavailable',
  });
});

t.test('an error of jose’s is a reason to refuse a session', async (t) => {
  for (const [error, reason] of [
    [new errors.JWTExpired('', {}, 'exp'), 'expired'],
    [new errors.JWTClaimValidationFailed('', {}, 'aud'), 'claim'],
    [new errors.JWSSignatureVerificationFailed(), 'signature'],
    [new errors.JOSEAlgNotAllowed(), 'algorithm'],
    [new errors.JWKSNoMatchingKey(), 'unknown_key'],
    [new errors.JWSInvalid(), 'malformed'],
    [new errors.JWTInvalid(), 'malformed'],
  ] as const) {
    const code = reason === 'expired' ? 'session-expired' : 'session-invalid';
    t.match(asRefusal(error), { reason, code, cause: error }, error.code);
  }
});

t.test('only what is wrong with a session is a reason to refuse it', async (t) => {
  t.equal(new ProblemError('identity-unmapped').reason, undefined);
  for (const problem of [new ProblemError('internal'), refused('revoked')])
    t.equal(asRefusal(problem), problem);
  t.throws(() => asRefusal(new TypeError('a defect')), { message: 'a defect' });
});
