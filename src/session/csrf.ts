import type { FastifyRequest } from 'fastify';
import { ProblemError } from '../base/problem-error.ts';

/**
 * Rejects a request that a browser has put a cookie on, unless a page of ours has made it. Two locks, as OAuth 2.0 for
 * Browser-Based Applications (RFC 10017) has them: a header that no form can send, and no other origin without a preflight;
 * and the browser's own word for where the page is from.
 *
 * @param origins the other origins whose pages are ours
 * @throws ProblemError `csrf-rejected`
 */
export function rejectForgery(request: FastifyRequest, origins: ReadonlySet<string>): void {
  if (!request.headers['x-requested-with']) {
    throw new ProblemError('csrf-rejected', {
      detail: 'With a session cookie the header X-Requested-With is needed, with any value.',
    });
  }
  if (!isOurs(request, origins)) {
    throw new ProblemError('csrf-rejected', {
      detail: 'With a session cookie the call must come from a page of this origin or of an allowed one.',
    });
  }
}

function isOurs({ headers, host, protocol }: FastifyRequest, origins: ReadonlySet<string>): boolean {
  const { origin, 'sec-fetch-site': site } = headers;
  if (site === 'same-origin') return true;
  if (origin === undefined) return false;
  if (origins.has(origin)) return true;
  // Old browsers, and any over plain http://, do not say the site. TLS may end before the gateway, so that
  // https:// is right even where the request itself came without.
  return site === undefined && [`https://${host}`, `${protocol}://${host}`].includes(origin);
}
