import t from 'tap';
import { ProblemError } from '../../src/base/problem-error.ts';
import { refusalOf, UnknownSession } from '../../src/session/reasons.ts';

t.test('only what is wrong with a session is a reason to refuse it', async (t) => {
  t.equal(refusalOf(new ProblemError('session-revoked')), 'revoked');
  t.equal(refusalOf(new ProblemError('session-invalid', { cause: new UnknownSession() })), 'unknown');
  t.equal(refusalOf(new ProblemError('session-invalid')), 'malformed');
  t.equal(refusalOf(new ProblemError('identity-unmapped')), undefined);
  t.equal(refusalOf(new TypeError('a defect')), undefined);
});
