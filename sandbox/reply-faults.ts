import { GROUPS, groupDocument } from './documents.ts';
import type { Fault, NamedFault } from './faults.ts';

const DOCUMENT = groupDocument(GROUPS[0], ['a']);
const { conversationId: _left, ...WITHOUT_ID } = DOCUMENT;
const JSON_BODY = JSON.stringify({ data: DOCUMENT });

/** CometChat's messages hold what no client may see: a uid here. */
const PRIVATE = 'The user with UID private-uid-of-somebody cannot do that.';

const good =
  (body: unknown, headers: Record<string, string> = {}) =>
  (): Fault[] => [{ status: 200, headers, body }];
const error = (status: number, code: string, headers: Record<string, string> = {}): Fault => ({
  status,
  headers,
  body: { error: { message: PRIVATE, devMessage: PRIVATE, source: 'chat-api', code } },
});
const page = (status: number) => (): Fault[] => [
  { status, headers: { 'content-type': 'text/html' }, body: `<!doctype html><title>${status}</title>` },
];
const refused = (status: number, code: string) => (): Fault[] => [error(status, code)];
const busy = (headers: Record<string, string>): Fault[] => [error(429, 'ERR_TOO_MANY_REQUESTS', headers)];
const busyFor = (retryAfter: string) => () => busy({ 'retry-after': retryAfter });
const seconds = (now: number): string => String(Math.ceil(now / 1000));

/** What CometChat, or a proxy before it, says wrong or does not want to hear. None of them writes, but for applied-but-lost. */
export const REPLY_FAULTS = {
  'broken-json': { about: '200 with half a JSON document', faults: good(JSON_BODY.slice(0, -20)) },
  html: {
    about: "200 with a proxy's page",
    faults: good('<!doctype html><title>Welcome</title>', { 'content-type': 'text/html' }),
  },
  'wrong-content-type': {
    about: 'A good document that says text/plain',
    faults: good(JSON_BODY, { 'content-type': 'text/plain' }),
  },
  bom: { about: 'A good document after a byte order mark', faults: good(`\ufeff${JSON_BODY}`) },
  'field-missing': { about: 'A conversation without its id', faults: good({ data: WITHOUT_ID }) },
  'field-extra': {
    about: 'A conversation with fields that nobody knows',
    faults: good({ data: { ...DOCUMENT, unheardOf: { secret: PRIVATE } }, meta: {} }),
  },
  'field-odd': {
    about: 'A conversation whose parts have odd forms, as PHP writes what is empty',
    faults: good({
      data: { ...DOCUMENT, unreadMessageCount: '', updatedAt: false, tags: {}, lastMessage: [] },
    }),
  },
  'field-wrong-type': {
    about: 'A conversation with a number for its id',
    faults: good({ data: { ...DOCUMENT, conversationId: 7 } }),
  },
  'rate-limited-seconds': { about: 'Busy; again after 2 seconds', faults: busyFor('2') },
  'rate-limited-date': {
    about: 'Busy; again at a time of day in 3 seconds',
    faults: (now) => busy({ 'retry-after': new Date(now + 3000).toUTCString() }),
  },
  'rate-limited-zero': { about: 'Busy; again after 0 seconds', faults: busyFor('0') },
  'rate-limited-negative': { about: 'Busy; again after -5 seconds', faults: busyFor('-5') },
  'rate-limited-huge': { about: 'Busy; again after 30,000 years', faults: busyFor('999999999999') },
  'rate-limited-garbage': { about: 'Busy; again soon', faults: busyFor('soon') },
  'rate-limited-reset-x-rate-limit': {
    about: 'Busy; X-Rate-Limit-Reset in 3 seconds, and no Retry-After',
    faults: (now) => busy({ 'X-Rate-Limit-Reset': seconds(now + 3000) }),
  },
  'rate-limited-reset-x-ratelimit': {
    about: 'Busy; X-RateLimit-Reset in 3 seconds, and no Retry-After',
    faults: (now) => busy({ 'X-RateLimit-Reset': seconds(now + 3000) }),
  },
  'status-500': { about: 'An error of its own', faults: refused(500, 'ERR_EXCEPTION') },
  'status-502': { about: 'Bad gateway', faults: refused(502, 'ERR_BAD_ERROR_RESPONSE') },
  'status-503': { about: 'Unavailable', faults: refused(503, 'ERR_BAD_ERROR_RESPONSE') },
  'status-504': { about: 'Gateway timeout', faults: refused(504, 'ERR_BAD_ERROR_RESPONSE') },
  'origin-down': { about: 'A page of a CDN that has not reached CometChat (521)', faults: page(521) },
  'origin-timeout': { about: 'A page of a CDN that CometChat has not answered (524)', faults: page(524) },
  'transient-code': { about: '500 that may be gone', faults: refused(500, 'ERR_OPERATION_FAILED') },
  'key-refused': { about: 'The key is not known', faults: refused(401, 'AUTH_ERR_APIKEY_NOT_FOUND') },
  'unknown-uid': { about: 'No such user', faults: refused(404, 'ERR_UID_NOT_FOUND') },
  'unknown-guid': { about: 'No such group', faults: refused(404, 'ERR_GUID_NOT_FOUND') },
  'unknown-conversation': {
    about: 'No message in it yet',
    faults: refused(404, 'ERR_CONVERSATION_NOT_ACCESSIBLE'),
  },
  'applied-but-lost': {
    about: 'The write is done, and the connection breaks off instead of a reply',
    faults: () => [{ reset: 'before-headers' }],
  },
} satisfies Record<string, NamedFault>;
