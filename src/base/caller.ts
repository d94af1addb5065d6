import { ProblemError } from './problem-error.ts';

/** The claims of a verified session, as the token or the session store holds them. */
export type Claims = Readonly<Record<string, unknown>>;

/** The form of a uid or guid. CometChat lower-cases ids, so upper-case letters are not part of it. */
export const ID_PATTERN = '^[a-z0-9_-]{1,100}$';
const idPattern = new RegExp(ID_PATTERN);

declare const brand: unique symbol;
/** A uid or guid in its legal form: safe in a path and in a header. */
export type CometChatId = string & { readonly [brand]: 'CometChatId' };

/** @returns the text as an id, or undefined where it is not one */
export function cometChatId(text: string): CometChatId | undefined {
  return idPattern.test(text) ? (text as CometChatId) : undefined;
}

/** The CometChat user that a session belongs to. Nothing but a verified session makes one. */
export interface Caller {
  /** The user whose conversation is meant where the request names nobody. */
  readonly uid: CometChatId;
  /** The user in whose name CometChat acts. */
  readonly onBehalfOf: CometChatId;
}

/**
 * @returns the caller of a request
 * @throws ProblemError `session-missing` for a route that stands outside the scope that sets it
 */
export function callerOf({ caller }: { readonly caller: Caller | null }): Caller {
  if (!caller) throw new ProblemError('session-missing');
  return caller;
}
