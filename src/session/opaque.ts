import type { Claims } from '../base/caller.ts';
import { checkTimes, type VerifySession } from './claims.ts';
import { refused } from './reasons.ts';
import type { SessionStore } from './store.ts';

const ENDLESS = {
  detail: 'This session is stored with no TTL, so it would never go away. Set one in Redis.',
};

/** Verifies opaque session tokens, whose claims the company's own back end keeps in Redis. */
export function opaqueSessions(store: SessionStore): VerifySession {
  return async (token) => {
    const session = await store.find(token);
    if (!session) return refused('unknown');
    const claims = parseClaims(session.text);
    if (!claims) return refused('malformed', { detail: 'What is stored of this session is no JSON object.' });
    if ((claims.exp ?? undefined) === undefined && !session.hasTtl) return refused('claim', ENDLESS);
    return checkTimes(claims, new Date());
  };
}

function parseClaims(text: string): Claims | undefined {
  try {
    const claims = JSON.parse(text);
    if (typeof claims === 'object' && claims !== null && !Array.isArray(claims)) return claims;
  } catch {
    // No word of what is stored goes into an error.
  }
  return undefined;
}
