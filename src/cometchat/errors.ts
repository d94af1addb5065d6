import type { ProblemCode } from '../problem.ts';

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
  429: 'cometchat-busy',
};

/** Where not even CometChat's error body came back, these are a wrong base URL or a proxy's refusal. */
const PROBLEM_BY_BARE_STATUS: Readonly<Record<number, ProblemCode>> = {
  403: 'gateway-misconfigured',
  404: 'gateway-misconfigured',
};

/**
 * Decides which problem a failed reply is: by CometChat's code, and by the status only without a known one.
 *
 * @param status HTTP status of the reply
 * @param code `error.code` of its body, if any
 */
export function problemOf(status: number, code: string | undefined): ProblemCode {
  const known =
    (code === undefined ? PROBLEM_BY_BARE_STATUS[status] : ownValue(PROBLEM_BY_CODE, code)) ??
    PROBLEM_BY_STATUS[status];
  if (known) return known;
  return status >= 400 && status < 500 ? 'cometchat-rejected' : 'cometchat-failed';
}

const ownValue = (table: Readonly<Record<string, ProblemCode>>, key: string) =>
  Object.hasOwn(table, key) ? table[key] : undefined;
