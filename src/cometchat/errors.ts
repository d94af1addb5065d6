import type { ProblemCode } from '../base/problems.ts';
import type { Failure } from './outcome.ts';

/** All that the gateway makes of one kind of failure; what is left out is false. */
interface Row {
  readonly problem: ProblemCode;
  /** Another attempt may succeed. Repeating a PUT of the whole set is always safe (RFC 9110, section 9.2.2). */
  readonly isTransient?: boolean;
  /** CometChat may still carry the call out. Never so where it answers with a code of its own. */
  readonly isInDoubt?: boolean;
  readonly isKeyRefused?: boolean;
}

const MISCONFIGURED: Row = { problem: 'gateway-misconfigured' };
const KEY_REFUSED: Row = { ...MISCONFIGURED, isKeyRefused: true };
const REJECTED: Row = { problem: 'cometchat-rejected' };
const NOT_A_MEMBER: Row = { problem: 'not-a-member' };
const BUSY: Row = { problem: 'cometchat-busy', isTransient: true };
const FAILED: Row = { problem: 'cometchat-failed' };
const FAILED_FOR_NOW: Row = { ...FAILED, isTransient: true };
const FAILED_IN_DOUBT: Row = { ...FAILED_FOR_NOW, isInDoubt: true };
const TIMEOUT: Row = { problem: 'cometchat-timeout', isTransient: true };
const INVALID: Row = { problem: 'cometchat-reply-invalid' };

/**
 * CometChat's error codes. https://www.cometchat.com/docs/rest-api/error-codes lists them; their HTTP statuses differ from
 * source to source, so the code decides.
 */
export const BY_CODE: Readonly<Record<string, Row>> = {
  ERR_BAD_REQUEST: REJECTED,
  AUTH_ERR_EMPTY_APIKEY: KEY_REFUSED,
  AUTH_ERR_APIKEY_NOT_FOUND: KEY_REFUSED,
  AUTH_ERR_NO_ACCESS: KEY_REFUSED,
  AUTH_ERR_EMPTY_APPID: MISCONFIGURED,
  AUTH_ERR_INVALID_APPID: MISCONFIGURED,
  ERR_PLAN_RESTRICTION: MISCONFIGURED,
  ERR_PLAN_QUOTA_RESTRICTION: MISCONFIGURED,
  ERR_SUBSCRIPTION_EXPIRED: MISCONFIGURED,
  ERR_API_NOT_FOUND: MISCONFIGURED,
  ERR_INVALID_API_VERSION: MISCONFIGURED,
  ERR_UID_NOT_FOUND: { problem: 'user-not-found' },
  ERR_GUID_NOT_FOUND: { problem: 'group-not-found' },
  ERR_CONVERSATION_NOT_ACCESSIBLE: { problem: 'conversation-not-found' },
  ERR_NOT_A_MEMBER: NOT_A_MEMBER,
  ERR_GROUP_NOT_JOINED: NOT_A_MEMBER,
  ERR_BANNED_GROUPMEMBER: NOT_A_MEMBER,
  ERR_TOO_MANY_REQUESTS: BUSY,
  ERR_MISSION_FAILED: FAILED_FOR_NOW,
  ERR_OPERATION_FAILED: FAILED_FOR_NOW,
  ERR_EXCEPTION: FAILED_FOR_NOW,
  ERR_BAD_ERROR_RESPONSE: FAILED_FOR_NOW,
};

/**
 * HTTP statuses that say enough where there is no code. A bare 500 is more likely a defect, met again. From 520 on they are those
 * of Cloudflare, https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/, and
 * of a few other proxies. A proxy that has not reached CometChat leaves no doubt; one that has got no answer from it does.
 */
const BY_STATUS: Readonly<Record<number, Row>> = {
  400: REJECTED,
  401: KEY_REFUSED,
  408: FAILED_FOR_NOW,
  // The tags of a list can make a longer address than a proxy takes.
  414: REJECTED,
  422: REJECTED,
  // Too early (RFC 8470): it was not passed on.
  425: FAILED_FOR_NOW,
  429: BUSY,
  // For a proxy, the one before it has left: AWS' load balancer (460), nginx and Cloudflare (499).
  460: FAILED_IN_DOUBT,
  499: FAILED_IN_DOUBT,
  502: FAILED_IN_DOUBT,
  503: FAILED_FOR_NOW,
  504: FAILED_IN_DOUBT,
  // The network's sign-in page, and the load balancer's.
  511: MISCONFIGURED,
  561: MISCONFIGURED,
  // An empty or broken answer.
  520: FAILED_IN_DOUBT,
  // Refused, no connection in time, no route, no TLS, a bad certificate.
  521: FAILED_FOR_NOW,
  522: FAILED_FOR_NOW,
  523: FAILED_FOR_NOW,
  525: FAILED_FOR_NOW,
  526: FAILED_FOR_NOW,
  // No answer in time, and broken off on the way.
  524: FAILED_IN_DOUBT,
  527: FAILED_IN_DOUBT,
  // Overloaded.
  529: FAILED_FOR_NOW,
  // The name of the origin was not found.
  530: FAILED_FOR_NOW,
  // No answer in time, and no connection in time.
  598: FAILED_IN_DOUBT,
  599: FAILED_FOR_NOW,
};

/** What ExchangeError says: codes of Node.js' and of our HTTP client. A bad certificate, for example, stays bad. */
const BY_ERROR: Readonly<Record<string, Row>> = {
  EAI_AGAIN: FAILED_FOR_NOW,
  ECONNABORTED: FAILED_IN_DOUBT,
  ECONNREFUSED: FAILED_FOR_NOW,
  ECONNRESET: FAILED_IN_DOUBT,
  EHOSTUNREACH: FAILED_FOR_NOW,
  ENETDOWN: FAILED_FOR_NOW,
  ENETUNREACH: FAILED_FOR_NOW,
  ENOTFOUND: FAILED_FOR_NOW,
  EPIPE: FAILED_IN_DOUBT,
  // The connection ended in the middle of the reply.
  ERR_HTTP_CONTENT_LENGTH_MISMATCH: FAILED_FOR_NOW,
  ETIMEDOUT: FAILED_IN_DOUBT,
  client_gone: { ...FAILED, isInDoubt: true },
  proxy_refused: FAILED_FOR_NOW,
  redirect: INVALID,
  reply_informational: { ...INVALID, isInDoubt: true },
  reply_invalid: INVALID,
  reply_too_large: INVALID,
  reply_upgrade: { ...INVALID, isInDoubt: true },
  timeout_connect: TIMEOUT,
  timeout_request: { ...TIMEOUT, isInDoubt: true },
  timeout_response: { ...TIMEOUT, isInDoubt: true },
};

/** Every problem that an attempt can end with, besides `ok` and a client that left. */
export const ATTEMPT_PROBLEMS: readonly ProblemCode[] = [
  ...new Set(
    [BY_CODE, BY_STATUS, BY_ERROR].flatMap((rows) => Object.values<Row>(rows).map((row) => row.problem)),
  ),
];

/**
 * Decides what a reply that is no success means: by CometChat's code, and by the status only without a known one.
 *
 * @param status HTTP status of the reply
 * @param code `error.code` of its body, if any
 */
export const failedReply = (status: number, code: string | undefined): Failure => ({
  ...failure(rowOf(status, code), code ?? String(status)),
  status,
  ...(code !== undefined && { code }),
});

/** Decides what an exchange means that brought no reply, or none that can be used. @param error its code */
export const failedExchange = (error: string): Failure =>
  failure(own(BY_ERROR, error) ?? (error.startsWith('HPE_') ? INVALID : FAILED), error);

const failure = (
  { problem, isTransient = false, isInDoubt = false, isKeyRefused = false }: Row,
  errorType: string,
): Failure => ({ ok: false, problem, errorType, isTransient, isInDoubt, isKeyRefused, isLocal: false });

function rowOf(status: number, code: string | undefined): Row {
  const known = code === undefined ? undefined : own(BY_CODE, code);
  if (known) return known;
  const row = BY_STATUS[status];
  if (code?.startsWith('AUTH_ERR_')) return { ...MISCONFIGURED, isTransient: row?.isTransient === true };
  // An unknown code is CometChat's own answer all the same: it is not in doubt, nor about the key.
  if (row) return code === undefined ? row : { ...row, isInDoubt: false, isKeyRefused: false };
  if (status < 400 || status >= 500) return FAILED;
  // A 4xx without a code comes from a wrong base URL, or from a proxy.
  return code === undefined ? MISCONFIGURED : REJECTED;
}

const own = (rows: Readonly<Record<string, Row>>, name: string): Row | undefined =>
  Object.hasOwn(rows, name) ? rows[name] : undefined;
