export interface ProblemRow {
  readonly status: number;
  readonly title: string;
  /** What the reader can do; used where no more exact detail is at hand. */
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * Every error a client can get, one row each: openapi.yaml, the README's table and every reply are made
 * from it. `detail` is the text for a reply that has nothing more exact to say.
 */
export const PROBLEMS = {
  'body-malformed': {
    status: 400,
    title: 'The request could not be read',
    detail: 'Send well-formed HTTP with a body of UTF-8 JSON.',
  },
  'body-invalid': {
    status: 400,
    title: 'The body breaks a rule of this API',
    detail: 'Each entry of "errors" names a field and its rule. Nothing was changed.',
  },
  // RFC 6750, section 3.1: no error code where the request carries no credentials at all.
  'session-missing': {
    status: 401,
    title: 'A session token is needed',
    detail: 'Send "Authorization: Bearer <session token>", or the session cookie where there is one.',
    headers: { 'www-authenticate': 'Bearer realm="cometchat-gateway"' },
  },
  'session-invalid': {
    status: 401,
    title: 'The session token is not valid',
    detail: 'Sign in again and send the new session token.',
    headers: { 'www-authenticate': 'Bearer realm="cometchat-gateway", error="invalid_token"' },
  },
  'session-expired': {
    status: 401,
    title: 'The session has expired',
    detail: 'Refresh the session, or sign in again, and send the new session token.',
    headers: {
      'www-authenticate':
        'Bearer realm="cometchat-gateway", error="invalid_token", error_description="expired"',
    },
  },
  'session-revoked': {
    status: 401,
    title: 'The session has been ended',
    detail: 'It was signed out or withdrawn: sign in again and send the new session token.',
    headers: {
      'www-authenticate':
        'Bearer realm="cometchat-gateway", error="invalid_token", error_description="revoked"',
    },
  },
  'identity-unmapped': {
    status: 403,
    title: 'The session belongs to no CometChat user',
    detail: 'The claims of the session do not give a legal CometChat uid.',
  },
  'csrf-rejected': {
    status: 403,
    title: 'The call does not come from a page of this app',
    detail: 'With a session cookie send X-Requested-With, from a page of this origin or of an allowed one.',
  },
  'not-a-member': {
    status: 403,
    title: 'The user may not use this group',
    detail: 'Join the group first; banned users stay out.',
  },
  'route-not-found': {
    status: 404,
    title: 'There is nothing at this address',
    detail: 'The call of this API is PUT /me/conversations/tags.',
  },
  'conversation-not-found': {
    status: 404,
    title: 'There is no such conversation',
    detail: 'It is not this user’s, or no message was written in it yet: show an empty chat.',
  },
  'user-not-found': {
    status: 404,
    title: 'There is no such CometChat user',
    detail: 'The user of the session or the one in conversationWith does not exist or is deactivated.',
  },
  'group-not-found': {
    status: 404,
    title: 'There is no such CometChat group',
    detail: 'conversationWith names no group of this app.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'This address does not take this method',
    detail: 'The header Allow lists the methods that it takes.',
  },
  'request-timeout': {
    status: 408,
    title: 'The request took too long to arrive',
    detail: 'Send it again; nothing was changed.',
  },
  superseded: {
    status: 409,
    title: 'A newer write has overtaken this one',
    detail: 'The same user has sent other tags for this conversation since. Nothing needs to be sent again.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    detail: 'At most 32 KiB; 25 tags of 100 units fit, every unit escaped.',
  },
  'media-type-unsupported': {
    status: 415,
    title: 'The body has the wrong media type',
    detail: 'Send "Content-Type: application/json", in UTF-8 and without Content-Encoding.',
  },
  'cometchat-rejected': {
    status: 422,
    title: 'CometChat rejected the tags',
    detail: 'Change the tags or the conversation; the same request will be rejected again.',
  },
  'rate-limited': {
    status: 429,
    title: 'Too many calls in this minute',
    detail: 'Nothing was changed. Send it again after the seconds in Retry-After.',
    headers: { 'retry-after': '60' },
  },
  'headers-too-large': {
    status: 431,
    title: 'The request’s header is too large',
    detail: 'The request line and all header fields may have 16 KiB together.',
  },
  internal: {
    status: 500,
    title: 'The gateway failed',
    detail: 'Quote the requestId to whoever runs the gateway.',
  },
  'cometchat-failed': {
    status: 502,
    title: 'CometChat failed or could not be reached',
    detail: 'The tags may or may not have been set; sending the same request again is safe.',
  },
  'cometchat-reply-invalid': {
    status: 502,
    title: 'CometChat answered in an unknown form',
    detail: 'The tags may or may not have been set; sending the same request again is safe.',
  },
  'gateway-misconfigured': {
    status: 502,
    title: 'The gateway’s access to CometChat is not set up right',
    detail: 'Nothing the user can mend: quote the requestId to whoever runs the gateway.',
  },
  'cometchat-busy': {
    status: 503,
    title: 'The app’s CometChat quota is used up',
    detail: 'Nothing was changed. Send it again after the seconds in Retry-After.',
    headers: { 'retry-after': '60' },
  },
  'cometchat-unavailable': {
    status: 503,
    title: 'CometChat is failing',
    detail: 'Nothing was changed. Send it again after the seconds in Retry-After.',
    headers: { 'retry-after': '5' },
  },
  'gateway-overloaded': {
    status: 503,
    title: 'The gateway has too many calls in hand',
    detail: 'Nothing was changed. Send it again after the seconds in Retry-After.',
    headers: { 'retry-after': '1' },
  },
  'session-store-unavailable': {
    status: 503,
    title: 'Sessions cannot be checked right now',
    detail:
      'This says nothing against the session. Send the same request again after the seconds in Retry-After.',
    headers: { 'retry-after': '2' },
  },
  'gateway-draining': {
    status: 503,
    title: 'This replica is shutting down',
    detail: 'Another replica takes over.',
    headers: { 'retry-after': '1' },
  },
  'cometchat-timeout': {
    status: 504,
    title: 'CometChat did not answer in time',
    detail: 'The tags may or may not have been set; sending the same request again is safe.',
  },
} as const satisfies Record<string, ProblemRow>;

export type ProblemCode = keyof typeof PROBLEMS;
