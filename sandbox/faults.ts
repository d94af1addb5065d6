import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { type Static, Type } from '@sinclair/typebox';
import type { Reply } from './api.ts';
import { RawSchema, writeRaw } from './raw.ts';

const MethodSchema = Type.Union([Type.Literal('GET'), Type.Literal('PUT')], {
  description: 'Wait for a call with this method; any call meets it unless given',
});
export type Method = Static<typeof MethodSchema>;

/** What the next call to the sandbox meets instead of, or before, the true answer. */
export const FaultSchema = Type.Object(
  {
    times: Type.Optional(Type.Integer({ minimum: 1, description: 'How many calls meet it; 1 unless given' })),
    method: Type.Optional(MethodSchema),
    delayMs: Type.Optional(Type.Integer({ minimum: 0, description: 'Wait before the first byte' })),
    reset: Type.Optional(
      Type.Union([Type.Literal('on-arrival'), Type.Literal('before-headers'), Type.Literal('in-body')], {
        description: 'Break the connection off; the write has been done, but for on-arrival',
      }),
    ),
    status: Type.Optional(
      Type.Integer({ minimum: 100, maximum: 599, description: 'Answer this, and do not write' }),
    ),
    headers: Type.Optional(Type.Record(Type.String(), Type.String(), { description: 'Retry-After, say' })),
    body: Type.Optional(Type.Unknown({ description: 'Answer this, text as it is; and do not write' })),
    dripMs: Type.Optional(Type.Integer({ minimum: 1, description: 'Send the body a byte at a time' })),
    raw: Type.Optional(RawSchema),
    keepOpen: Type.Optional(Type.Boolean({ description: 'No FIN after raw' })),
  },
  { additionalProperties: false },
);
export type Fault = Static<typeof FaultSchema>;

/** Takes the first of those that wait for this method or for any. */
export function takeFor<T extends { readonly method?: Method }>(method: string, waiting: T[]): T | undefined {
  const index = waiting.findIndex((one) => one.method === undefined || one.method === method);
  return index === -1 ? undefined : waiting.splice(index, 1)[0];
}

/** A row of the catalogue. */
export interface NamedFault {
  readonly about: string;
  /** @param now UNIX milliseconds, for what holds a time of day */
  readonly faults: (now: number) => Fault[];
}

/** @returns the reply that the fault has in place of CometChat's, or undefined where CometChat answers */
export function cannedReply({ status, body, raw, reset }: Fault): Reply | undefined {
  if (raw || reset === 'on-arrival') return { status: 0, headers: {}, body: '' };
  if (status === undefined && body === undefined) return undefined;
  const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
  return { status: status ?? 200, headers: { 'content-type': 'application/json' }, body: text };
}

/**
 * Sends a reply in the way that the fault prescribes.
 *
 * @param stopped ends all waiting when the sandbox closes
 */
export async function play(fault: Fault, reply: Reply, response: ServerResponse, stopped: AbortSignal) {
  const { socket } = response.req;
  if (fault.delayMs) await wait(fault.delayMs, undefined, { signal: stopped });
  if (fault.reset === 'on-arrival' || fault.reset === 'before-headers') return void socket.resetAndDestroy();
  if (fault.raw) {
    // It gets the socket after an earlier reply on the same connection.
    if (!response.socket) await once(response, 'socket', { signal: stopped });
    await writeRaw(fault.raw, socket, !fault.keepOpen, stopped);
    // The server takes it as answered, and the next request of the connection has its turn.
    return void response.emit('finish');
  }
  const bytes = Buffer.from(reply.body);
  if (fault.headers?.['transfer-encoding'] === undefined) response.setHeader('content-length', bytes.length);
  response.writeHead(reply.status, { ...reply.headers, ...fault.headers });
  if (fault.reset === 'in-body') {
    response.write(bytes.subarray(0, bytes.length / 2), () => socket.resetAndDestroy());
    return;
  }
  if (!fault.dripMs) return void response.end(bytes);
  for (let at = 0; at < bytes.length && !response.destroyed; at += 1) {
    response.write(bytes.subarray(at, at + 1));
    await wait(fault.dripMs, undefined, { signal: stopped });
  }
  response.end();
}
