import { ProblemError } from '../base/problem-error.ts';
import type { Claims } from '../identity/identity.ts';
import { checkTimes, type VerifySession, wrongClaim } from './claims.ts';
import { UnknownSession } from './reasons.ts';
import type { SessionStore } from './store.ts';

/**
 * Verifies opaque session tokens, whose claims the company's own back end keeps in Redis. A session that is
 * deleted there has ended with the next request.
 */
export function opaqueSessions(store: SessionStore): VerifySession {
  return async (token) => {
    const session = await store.find(token);
    if (!session) throw new ProblemError('session-invalid', { cause: new UnknownSession() });
    const claims = parseClaims(session.text);
    // One without any end would outlive whoever forgot it.
    if (claims.exp === undefined && !session.hasTtl) throw wrongClaim('exp');
    checkTimes(claims, new Date());
    return claims;
  };
}

function parseClaims(text: string): Claims {
  try {
    const claims = JSON.parse(text);
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims;
  } catch {
    // Told below: no word of what is stored goes into an error.
  }
  throw new ProblemError('session-invalid', { detail: 'What is stored of this session is no JSON object.' });
}
