import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { type Caller, type Claims, type CometChatId, cometChatId } from '../base/caller.ts';
import { ProblemError } from '../base/problem-error.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The CometChat user in whose name the request acts. */
    caller: Caller | null;
  }
}

/** Claims with the literal text behind each: `a_{x}-{y}` is prefix `a_`, then x with `-`, then y with ``. */
export interface Template {
  readonly prefix: string;
  readonly parts: readonly { readonly claim: string; readonly suffix: string }[];
}

export interface IdentityConfig {
  readonly uid: Template;
  readonly onBehalfOf: Template;
  /**
   * Whether the app's ids are case-insensitive. Otherwise upper-case letters are refused: CometChat folds
   * them, and two people would become one.
   */
  readonly lowercase: boolean;
}

/** White space and quotes around a claim's name are a slip: no session has such a claim. */
const CLAIM_NAME = /^[^\s"'`](?:.*[^\s"'`])?$/;
/** These say nothing about who the user is. */
const NOBODYS_CLAIMS = new Set(['iss', 'aud', 'exp', 'nbf', 'iat']);

/**
 * Reads a template of literal text and claims in braces, such as `medicare_user_{sub}` or `{act.sub}`.
 *
 * @throws Error whose message says what is wrong with the text
 */
export function parseTemplate(text: string): Template {
  const [prefix = '', ...rest] = text.split('{');
  const parts = rest.map((piece) => {
    const [claim = '', suffix, ...extra] = piece.split('}');
    if (!CLAIM_NAME.test(claim) || suffix === undefined || extra.length > 0) {
      throw new Error('a claim stands in braces, as in "user_{sub}"');
    }
    return { claim, suffix };
  });
  if (parts.every(({ claim }) => NOBODYS_CLAIMS.has(claim))) {
    throw new Error('without a claim of the user’s in braces every session would be the same user');
  }
  if (parts.slice(0, -1).some(({ suffix }) => suffix === '')) {
    throw new Error('between two claims there must be text, else "ab"+"c" and "a"+"bc" are the same user');
  }
  if (!/^[a-z0-9_-]*$/.test(prefix + parts.map(({ suffix }) => suffix).join(''))) {
    throw new Error('the text around the claims may only hold a-z, 0-9, "-" and "_"');
  }
  return { prefix, parts };
}

/**
 * Maps the claims of a session to its CometChat user.
 *
 * @returns a pure function; it throws `identity-unmapped` where a claim is missing or the id is not legal
 */
export function identityMapper({ uid, onBehalfOf, lowercase }: IdentityConfig): (claims: Claims) => Caller {
  return (claims) => ({
    uid: fill(uid, claims, lowercase),
    onBehalfOf: fill(onBehalfOf, claims, lowercase),
  });
}

function fill({ prefix, parts }: Template, claims: Claims, lowercase: boolean): CometChatId {
  let text = prefix;
  for (const [index, { claim, suffix }] of parts.entries()) {
    const value = claimValue(claims, claim, lowercase);
    // A value that holds the text behind it could be split in two ways: {org}_{sub} with "a_b"+"c" and
    // with "a"+"b_c". The last claim ends with the id, so its value may hold anything legal.
    if (index < parts.length - 1 && (value + suffix).indexOf(suffix) !== value.length) {
      throw unmapped(`The claim "${claim}" holds the text that separates it from the next claim.`, claim);
    }
    text += value + suffix;
  }
  const id = cometChatId(text);
  if (id === undefined) {
    const names = parts.map(({ claim }) => `"${claim}"`).join(', ');
    throw unmapped(
      `A CometChat uid has 1 to 100 of a-z, 0-9, "-" and "_"; the session's ${names} does not give one.`,
    );
  }
  return id;
}

/** A claim by its whole name (`https://app.example/uid`), else by its path (`act.sub`). */
function claimValue(claims: Claims, name: string, lowercase: boolean): string {
  const value = member(claims, name) ?? name.split('.').reduce<unknown>(member, claims);
  if (typeof value === 'string' && value !== '') {
    // ASCII letters alone: toLowerCase() would make a "k" of the Kelvin sign.
    return lowercase ? value.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : value;
  }
  if (Number.isSafeInteger(value)) return String(value);
  throw unmapped(`The session has no claim "${name}" that is text or a whole number.`, name);
}

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

const unmapped = (detail: string, claim?: string) =>
  new ProblemError('identity-unmapped', { detail, ...(claim !== undefined && { claim }) });

/** Which CometChat user? Sets `request.caller` by the claims of the session, or throws `identity-unmapped`. */
export const identity = fp(async (scope: FastifyInstance, config: IdentityConfig) => {
  const identify = identityMapper(config);
  scope.decorateRequest('caller', null);
  scope.addHook('onRequest', (request, _reply, done) => {
    // session/ sets the claims, or refuses the request. Fastify takes what a hook throws as its error.
    request.caller = identify(request.claims as Claims);
    done();
  });
});
