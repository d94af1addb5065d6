import type { IncomingMessage } from 'node:http';
import type { ProblemError } from '../base/problem-error.ts';
import { refused } from './reasons.ts';

/** RFC 6750's characters of a token; in a cookie no other are taken either. */
const TOKEN = String.raw`[\w.~+/-]+=*`;
const BEARER = new RegExp(`^Bearer +(${TOKEN})$`, 'i');
const COOKIE_VALUE = new RegExp(`^${TOKEN}$`);
/** RFC 6265 allows quotes around a value; Python writes them where it has a "/" or a "=". */
const QUOTED = /^"([^"]*)"$/;
/** Apps send these when they have no token. */
const EMPTY_HEADER = /^(?:Bearer)?$/i;

/** A session token, and whether it came in a cookie: then any page may have made the browser send it. */
export interface Credential {
  readonly token: string;
  readonly isCookie: boolean;
}

/**
 * Takes the session token out of a request: `Authorization: Bearer <token>` (RFC 6750, section 2.1), or the
 * cookie of this name (RFC 6265, section 4.2). An empty one counts as absent.
 *
 * @param cookieName undefined where cookies are not looked at
 * @returns the token; or `session-missing` where there is neither; or `session-invalid` where there are several:
 *   what is checked here, and what a proxy or the app itself has meant, could then be two users
 */
export function credentialOf(
  { headersDistinct }: IncomingMessage,
  cookieName?: string,
): Credential | ProblemError {
  const { authorization = [], cookie = [] } = headersDistinct;
  const headers = authorization.filter((value) => !EMPTY_HEADER.test(value));
  const cookies = cookieName === undefined ? [] : cookieValues(cookie, cookieName);
  if (headers.length + cookies.length > 1) {
    return refused('malformed', {
      detail: 'Send one Authorization header or one session cookie, not several and not both.',
    });
  }
  const [header = ''] = headers;
  const bearer = BEARER.exec(header)?.[1];
  if (bearer !== undefined) return { token: bearer, isCookie: false };
  const [value] = cookies;
  if (value === undefined) return refused('missing');
  return COOKIE_VALUE.test(value) ? { token: value, isCookie: true } : refused('malformed');
}

/** Every value of the cookie that is not empty: a sibling domain can set a second one of the same name, unless it is `__Host-`. */
function cookieValues(headers: readonly string[], name: string): string[] {
  return (
    headers
      .flatMap((header) => header.split(';'))
      // Nothing else is white space here: a byte that a browser takes for a part of the name, and trim() for
      // none, would let a sibling domain plant a `__Host-` cookie.
      .map((pair) => pair.replace(/^[ \t]+|(?<![ \t])[ \t]+$/g, ''))
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => decoded(pair.slice(name.length + 1)).replace(QUOTED, '$1'))
      .filter((value) => value.trim() !== '')
  );
}

/** Most frameworks percent-encode what they put into a cookie. A token has no "%", so this changes none that came as it is. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
