import { randomBytes } from 'node:crypto';
import { type Signer, signSession } from '../scripts/sign-session.ts';
import type { Request } from './load.ts';
import type { Call } from './results.ts';

export const API_KEY = randomBytes(20).toString('hex');
export const SIGNER: Signer = {
  secrets: [randomBytes(32).toString('hex')],
  issuer: 'https://app.example',
  audience: 'cometchat-gateway',
};

/**
 * Enough that nobody meets the limit of 120 requests a minute below 10,000 requests a second, and few enough that the gateway
 * remembers all of their tokens.
 */
export const USERS = 5000;

/** How many conversation partners a user has. */
const PARTNERS = 97;
const PATH = '/me/conversations';

/** How each call is made, the one with this number. */
const MAKE: Readonly<Record<Call, (count: number) => Omit<Request, 'headers'>>> = {
  PUT: (count) => ({
    path: `${PATH}/tags`,
    body: `{"tags":["archived","t${count}"],"conversationWith":"cometchat-uid-${count % PARTNERS}"}`,
  }),
  // The stand-in's conversations have the tag that it removes.
  PATCH: (count) => ({
    method: 'PATCH',
    path: `${PATH}/tags`,
    body: `{"add":["t${count}"],"remove":["inbox"],"conversationWith":"cometchat-uid-${count % PARTNERS}"}`,
  }),
  tags: (count) => ({
    method: 'GET',
    path: `${PATH}/tags?conversationWith=cometchat-uid-${count % PARTNERS}`,
  }),
  list: () => ({ method: 'GET', path: `${PATH}?perPage=50` }),
};

/**
 * Calls of many signed-in users, in turn. No request has the user, conversation or tags of another one in flight, so the gateway
 * can neither join nor supersede any.
 */
export async function callsOf(prefix: string, users = USERS): Promise<Record<Call, () => Request>> {
  const sessions = await Promise.all(
    Array.from({ length: users }, (_, index) => signSession(SIGNER, { sub: `${prefix}-${index}` })),
  );
  const headers = sessions.map((token) => ({
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
  }));
  const each = (name: Call) => {
    let count = 0;
    return () => {
      count += 1;
      return { ...MAKE[name](count), headers: headers[count % users] as (typeof headers)[number] };
    };
  };
  return { PUT: each('PUT'), PATCH: each('PATCH'), tags: each('tags'), list: each('list') };
}

/** The PUT of those calls, which all contestants answer. */
export const requestsOf = async (prefix: string, users = USERS): Promise<() => Request> =>
  (await callsOf(prefix, users)).PUT;

/** The same calls, made of CometChat itself by somebody who holds its key. */
export function directRequests(): () => Request {
  let count = 0;
  return () => {
    count += 1;
    return {
      path: `/v3/users/cometchat-uid-${count % PARTNERS}/conversation`,
      headers: { apikey: API_KEY, onBehalfOf: `user-${count % USERS}`, 'content-type': 'application/json' },
      body: `{"tags":["archived","t${count}"]}`,
    };
  };
}
