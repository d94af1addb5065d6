import { randomBytes } from 'node:crypto';
import { type Signer, signSession } from '../scripts/sign-session.ts';
import type { Request } from './load.ts';

export const API_KEY = randomBytes(20).toString('hex');
export const SIGNER: Signer = {
  secrets: [randomBytes(32).toString('hex')],
  issuer: 'https://app.example',
  audience: 'cometchat-gateway',
};

/**
 * Enough that nobody meets the limit of 60 requests a minute below 5,000 requests a second, and few enough that the gateway
 * remembers all of their tokens.
 */
export const USERS = 5000;

/**
 * Requests of many signed-in users, in turn. No request has the user, conversation or tags of another one in flight, so the
 * gateway can neither join nor supersede any.
 */
export async function requestsOf(prefix: string, users = USERS): Promise<() => Request> {
  const sessions = await Promise.all(
    Array.from({ length: users }, (_, index) => signSession(SIGNER, { sub: `${prefix}-${index}` })),
  );
  const headers = sessions.map((token) => ({
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
  }));
  let count = 0;
  return () => {
    count += 1;
    return {
      path: '/me/conversations/tags',
      headers: headers[count % users] as (typeof headers)[number],
      body: `{"tags":["archived","t${count}"],"conversationWith":"cometchat-uid-${count % 97}"}`,
    };
  };
}

/** The same calls, made of CometChat itself by somebody who holds its key. */
export function directRequests(): () => Request {
  let count = 0;
  return () => {
    count += 1;
    return {
      path: `/v3/users/cometchat-uid-${count % 97}/conversation`,
      headers: { apikey: API_KEY, onBehalfOf: `user-${count % USERS}`, 'content-type': 'application/json' },
      body: `{"tags":["archived","t${count}"]}`,
    };
  };
}
