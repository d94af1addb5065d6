type Headers = Readonly<Record<string, string>>;

export interface ProblemRow {
  readonly status: number;
  readonly title: string;
  /** What the reader can do; used where no more exact detail is at hand. */
  readonly detail: string;
  readonly headers: Headers;
}

const row = (status: number, title: string, detail: string, headers: Headers = {}): ProblemRow => ({
  status,
  title,
  detail,
  headers,
});

const retryAfter = (seconds: number): Headers => ({ 'retry-after': String(seconds) });

/** RFC 6750, section 3.1: no error code where the request carries no credentials at all. */
const challenge = (error?: string, description?: string): Headers => {
  const parameters = ['realm="cometchat-gateway"'];
  if (error) parameters.push(`error="${error}"`);
  if (description) parameters.push(`error_description="${description}"`);
  return { 'www-authenticate': `Bearer ${parameters.join(', ')}` };
};

/** Every error that a client can get, one row each: every reply and openapi.yaml are made from it, and docs/api.md is held to it. */
// biome-ignore format: one problem a line
export const PROBLEMS = {
  'body-malformed': row(400, 'The request could not be read', 'Send well-formed HTTP with a body of UTF-8 JSON.'),
  'body-invalid': row(400, 'The body breaks a rule of this API', 'Each entry of "errors" names a field and its rule. Nothing was changed.'),
  'query-invalid': row(400, 'The query breaks a rule of this API', 'Each entry of "errors" names a parameter and its rule.'),
  'session-missing': row(401, 'A session token is needed', 'Send "Authorization: Bearer <session token>", or the session cookie where there is one.', challenge()),
  'session-invalid': row(401, 'The session token is not valid', 'Sign in again and send the new session token.', challenge('invalid_token')),
  'session-expired': row(401, 'The session has expired', 'Refresh the session, or sign in again, and send the new session token.', challenge('invalid_token', 'expired')),
  'session-revoked': row(401, 'The session has been ended', 'It was signed out or withdrawn: sign in again and send the new session token.', challenge('invalid_token', 'revoked')),
  'identity-unmapped': row(403, 'The session belongs to no CometChat user', 'The claims of the session do not give a legal CometChat uid.'),
  'csrf-rejected': row(403, 'The call does not come from a page of this app', 'With a session cookie send X-Requested-With, from a page of this origin or of an allowed one.'),
  'not-a-member': row(403, 'The user may not use this group', 'Join the group first; banned users stay out.'),
  'route-not-found': row(404, 'There is nothing at this address', 'The calls of this API are those of /me/conversations and /me/conversations/tags.'),
  'conversation-not-found': row(404, 'There is no such conversation', 'It is not this user’s, or no message was written in it yet: show an empty chat.'),
  'user-not-found': row(404, 'There is no such CometChat user', 'The user of the session or the one in conversationWith does not exist or is deactivated.'),
  'group-not-found': row(404, 'There is no such CometChat group', 'conversationWith names no group of this app.'),
  'method-not-allowed': row(405, 'This address does not take this method', 'The header Allow lists the methods that it takes.'),
  'request-timeout': row(408, 'The request took too long to arrive', 'Send it again; nothing was changed.'),
  superseded: row(409, 'A newer write has superseded this one', 'The same user has replaced the tags of this conversation since. Nothing needs to be sent again.'),
  'too-many-tags': row(409, 'The conversation would have too many tags', 'It may have 25. Nothing was changed: remove a tag in the same request, or before.'),
  'body-too-large': row(413, 'The body is too large', 'At most 32 KiB; 25 tags of 100 units fit, every unit escaped.'),
  'media-type-unsupported': row(415, 'The body has the wrong media type', 'Send "Content-Type: application/json", in UTF-8 and without Content-Encoding.'),
  'cometchat-rejected': row(422, 'CometChat rejected the request', 'Change its tags or its conversation; the same request will be rejected again.'),
  'rate-limited': row(429, 'Too many calls in this minute', 'Nothing was changed. Send it again after the seconds in Retry-After.', retryAfter(60)),
  'headers-too-large': row(431, 'The request’s header is too large', 'The request line and all header fields may have 16 KiB together.'),
  internal: row(500, 'The gateway failed', 'Quote the requestId to the operators of the gateway.'),
  'cometchat-failed': row(502, 'CometChat failed or could not be reached', 'If it was to change something, it may have done so. Sending the same request again is safe.'),
  'cometchat-reply-invalid': row(502, 'CometChat answered in an unknown form', 'If it was to change something, it may have done so. Sending the same request again is safe.'),
  'gateway-misconfigured': row(502, 'The gateway’s access to CometChat is not set up right', 'The user cannot mend this: quote the requestId to the operators of the gateway.'),
  'cometchat-busy': row(503, 'The app’s CometChat quota is used up', 'Nothing was changed. Send it again after the seconds in Retry-After.', retryAfter(60)),
  'cometchat-unavailable': row(503, 'CometChat is failing', 'Nothing was changed. Send it again after the seconds in Retry-After.', retryAfter(2)),
  'gateway-overloaded': row(503, 'The gateway has too many calls in hand', 'Nothing was changed. Send it again after the seconds in Retry-After.', retryAfter(1)),
  'session-store-unavailable': row(503, 'Sessions cannot be checked right now', 'This says nothing against the session. Send the same request again after the seconds in Retry-After.', retryAfter(2)),
  'gateway-draining': row(503, 'This replica is shutting down', 'Another replica takes over.', retryAfter(1)),
  'cometchat-timeout': row(504, 'CometChat did not answer in time', 'If it was to change something, it may have done so. Sending the same request again is safe.'),
} satisfies Record<string, ProblemRow>;

export type ProblemCode = keyof typeof PROBLEMS;
