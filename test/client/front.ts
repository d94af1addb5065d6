import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import type { Test } from 'tap';
import { type ClientOptions, createClient } from '../../client/src/index.ts';
import { PROBLEMS, type ProblemCode } from '../../src/base/problems.ts';
import type { Variables } from '../helpers/environment.ts';
import { type GatewayOptions, startGateway } from '../helpers/gateway.ts';
import { listening } from '../helpers/ports.ts';
import { OTHER, sign } from '../helpers/tokens.ts';

export const TARGET = { conversationWith: OTHER };

/** What a load balancer does with a request: hands it to the gateway, breaks it off, never answers, or answers by itself. */
export type Reply =
  | 'gateway'
  | 'reset'
  | 'silence'
  | 'cut'
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string };

/** A problem of the gateway. The client waits for its shortest time before it sends the request again. */
export const problem = (code: ProblemCode, headers: Record<string, string> = { 'retry-after': '0' }) => ({
  status: PROBLEMS[code].status,
  headers: { 'content-type': 'application/problem+json', 'x-request-id': 'a-request', ...headers },
  body: JSON.stringify({
    type: `urn:cometchat-gateway:problem:${code}`,
    title: PROBLEMS[code].title,
    status: PROBLEMS[code].status,
    code,
    requestId: 'a-request',
  }),
});

export interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Starts a load balancer before a gateway. Its first requests meet these replies, all later ones the gateway's. */
export async function startFront(t: Test, gateway: string, given: readonly Reply[] = []) {
  const replies = [...given];
  const seen: Seen[] = [];
  const server = http.createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    const body = await text(request);
    seen.push({ method, url, headers, body });
    server.emit('seen');
    const reply = replies.shift() ?? 'gateway';
    if (reply === 'silence') return;
    if (reply === 'reset') return void request.socket.resetAndDestroy();
    if (reply === 'cut') {
      response.writeHead(200, { 'content-length': 99 });
      return void response.write('{', () => request.socket.resetAndDestroy());
    }
    if (reply !== 'gateway') {
      return void response.writeHead(reply.status, reply.headers).end(reply.body);
    }
    const call = http.request(gateway + url, { method, headers }).end(body);
    const [answer] = (await once(call, 'response')) as [http.IncomingMessage];
    answer.pipe(response.writeHead(answer.statusCode ?? 0, answer.headers));
  });
  return {
    origin: `http://127.0.0.1:${await listening(t, server)}`,
    seen,
    /** For the next requests. */
    replies,
    /** Makes a request, and waits until it has arrived here. */
    async arrived<T>(send: () => Promise<T>): Promise<{ answer: Promise<T> }> {
      const arrival = once(server, 'seen');
      const answer = send();
      await arrival;
      return { answer };
    },
  };
}

export interface Setting extends Partial<ClientOptions> {
  readonly env?: Variables;
  readonly gateway?: GatewayOptions;
  readonly replies?: readonly Reply[];
}

/** Starts a gateway, a load balancer before it, and a client of a signed-in user. */
export async function startClient(
  t: Test,
  { env = {}, gateway: gatewayOptions = {}, replies = [], ...options }: Setting = {},
) {
  const gateway = await startGateway(t, env, gatewayOptions);
  const front = await startFront(t, gateway.origin, replies);
  const chat = createClient({ baseUrl: front.origin, token: () => sign(), ...options });
  return { gateway, front, chat };
}

/** A fetch that tells when it has a reply to the last byte, so that the client has read it in the same turn. */
export const tellingFetch =
  (onReply: () => void): typeof fetch =>
  async (url, init) => {
    const response = await fetch(url, init);
    const body = await response.arrayBuffer();
    onReply();
    return new Response(body, response);
  };

/** Waits for a rejection, and gives its reason. */
export async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (reason) {
    return reason;
  }
  throw new Error('it did not reject');
}
