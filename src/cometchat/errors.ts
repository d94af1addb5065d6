import type { ProblemCode } from '../base/problems.ts';

/**
 * What each of CometChat's error codes means for a client of the gateway.
 * https://www.cometchat.com/docs/rest-api/error-codes lists them; their HTTP statuses differ from source to
 * source, so the code decides.
 */
export const PROBLEM_BY_CODE: Readonly<Record<string, ProblemCode>> = {
  ERR_BAD_REQUEST: 'cometchat-rejected',
  // The key, the app, the region, the path or the plan: never the user's fault.
  AUTH_ERR_EMPTY_APIKEY: 'gateway-misconfigured',
  AUTH_ERR_APIKEY_NOT_FOUND: 'gateway-misconfigured',
  AUTH_ERR_NO_ACCESS: 'gateway-misconfigured',
  AUTH_ERR_EMPTY_APPID: 'gateway-misconfigured',
  AUTH_ERR_INVALID_APPID: 'gateway-misconfigured',
  ERR_PLAN_RESTRICTION: 'gateway-misconfigured',
  ERR_PLAN_QUOTA_RESTRICTION: 'gateway-misconfigured',
  ERR_SUBSCRIPTION_EXPIRED: 'gateway-misconfigured',
  ERR_API_NOT_FOUND: 'gateway-misconfigured',
  ERR_INVALID_API_VERSION: 'gateway-misconfigured',
  ERR_UID_NOT_FOUND: 'user-not-found',
  ERR_GUID_NOT_FOUND: 'group-not-found',
  ERR_CONVERSATION_NOT_ACCESSIBLE: 'conversation-not-found',
  ERR_NOT_A_MEMBER: 'not-a-member',
  ERR_GROUP_NOT_JOINED: 'not-a-member',
  ERR_BANNED_GROUPMEMBER: 'not-a-member',
  ERR_TOO_MANY_REQUESTS: 'cometchat-busy',
  ERR_MISSION_FAILED: 'cometchat-failed',
  ERR_OPERATION_FAILED: 'cometchat-failed',
  ERR_EXCEPTION: 'cometchat-failed',
  ERR_BAD_ERROR_RESPONSE: 'cometchat-failed',
};

/** Statuses that say enough where there is no code, or one that is not in the table. */
const PROBLEM_BY_STATUS: Readonly<Record<number, ProblemCode>> = {
  401: 'gateway-misconfigured',
  408: 'cometchat-failed',
  429: 'cometchat-busy',
};

/** Without a code only these can be about what the user asked for; the others are a wrong base URL or a proxy's. */
const BARE_REJECTIONS = new Set([400, 422]);

/**
 * Decides which problem a failed reply is: by CometChat's code, and by the status only without a known one.
 *
 * @param status HTTP status of the reply
 * @param code `error.code` of its body, if any
 */
export function problemOf(status: number, code: string | undefined): ProblemCode {
  if (code !== undefined && Object.hasOwn(PROBLEM_BY_CODE, code)) return PROBLEM_BY_CODE[code] as ProblemCode;
  if (code?.startsWith('AUTH_ERR_')) return 'gateway-misconfigured';
  const known = PROBLEM_BY_STATUS[status];
  if (known) return known;
  if (status < 400 || status >= 500) return 'cometchat-failed';
  return code === undefined && !BARE_REJECTIONS.has(status) ? 'gateway-misconfigured' : 'cometchat-rejected';
}

/** CometChat does not take this key; another one may do. */
const KEY_REFUSALS = new Set(['AUTH_ERR_EMPTY_APIKEY', 'AUTH_ERR_APIKEY_NOT_FOUND', 'AUTH_ERR_NO_ACCESS']);

/** @returns whether a failed reply is about the key, and about nothing else */
export const isKeyRefusal = (status: number | undefined, code: string | undefined): boolean =>
  code === undefined ? status === 401 : KEY_REFUSALS.has(code);
