import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { type Static, Type } from '@sinclair/typebox';

/** What the next call to the sandbox meets instead of, or before, the true answer. */
export const FaultSchema = Type.Object(
  {
    times: Type.Optional(Type.Integer({ minimum: 1, description: 'How many calls meet it; 1 unless given' })),
    delayMs: Type.Optional(Type.Integer({ minimum: 0, description: 'Wait before the first byte' })),
    reset: Type.Optional(
      Type.Union([Type.Literal('before-headers'), Type.Literal('in-body')], {
        description: 'Break the connection off; the write has been done',
      }),
    ),
    status: Type.Optional(
      Type.Integer({ minimum: 100, maximum: 599, description: 'Answer this, and do not write' }),
    ),
    headers: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Retry-After, say' })),
    body: Type.Optional(Type.Unknown({ description: 'Answer this, text as it is; and do not write' })),
    dripMs: Type.Optional(Type.Integer({ minimum: 1, description: 'Send the body a byte at a time' })),
  },
  { additionalProperties: false },
);
export type Fault = Static<typeof FaultSchema>;

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** @returns whether the fault answers in place of CometChat */
export const isCanned = (fault: Fault): boolean => fault.status !== undefined || fault.body !== undefined;

/** @returns the reply that the fault prescribes */
export function cannedReply({ status = 200, body = '' }: Fault): Reply {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return { status, headers: { 'content-type': 'application/json' }, body: text };
}

/**
 * Sends a reply in the way that the fault prescribes.
 *
 * @param stopped ends all waiting when the sandbox closes
 */
export async function play(fault: Fault, reply: Reply, response: ServerResponse, stopped: AbortSignal) {
  if (fault.delayMs) await wait(fault.delayMs, undefined, { signal: stopped });
  if (fault.reset === 'before-headers') return void response.socket?.resetAndDestroy();
  const bytes = Buffer.from(reply.body);
  if (fault.headers?.['transfer-encoding'] === undefined) response.setHeader('content-length', bytes.length);
  response.writeHead(reply.status, { ...reply.headers, ...fault.headers });
  if (fault.reset === 'in-body') {
    response.write(bytes.subarray(0, bytes.length / 2), () => response.socket?.resetAndDestroy());
    return;
  }
  if (!fault.dripMs) return void response.end(bytes);
  for (let at = 0; at < bytes.length && !response.destroyed; at += 1) {
    response.write(bytes.subarray(at, at + 1));
    await wait(fault.dripMs, undefined, { signal: stopped });
  }
  response.end();
}
