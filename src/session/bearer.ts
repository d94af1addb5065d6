import type { IncomingMessage } from 'node:http';
import { ProblemError } from '../problem-error.ts';

/**
 * Takes the session token out of a request: `Authorization: Bearer <token>` (RFC 6750, section 2.1).
 *
 * @throws ProblemError `session-missing` without such a header, `session-invalid` where it stands twice,
 *   since what is checked here and what a proxy has checked could then be two tokens
 */
export function bearerToken(request: IncomingMessage): string {
  const { authorization: [header = '', ...others] = [] } = request.headersDistinct;
  if (others.length > 0) {
    throw new ProblemError('session-invalid', { detail: 'Send one Authorization header, not several.' });
  }
  const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(header)?.[1];
  if (token === undefined) throw new ProblemError('session-missing');
  return token;
}
