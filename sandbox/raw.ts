import type { Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait, setImmediate as yieldToOthers } from 'node:timers/promises';
import { type Static, Type } from '@sinclair/typebox';

const CHUNK = 65_536;

/** What is written to the socket, one piece after the other; text as latin1. */
export const RawSchema = Type.Array(
  Type.Union([
    Type.String(),
    Type.Object(
      { repeat: Type.String({ minLength: 1 }), times: Type.Integer({ minimum: 1 }) },
      { additionalProperties: false },
    ),
    // Node.js makes a longer wait one of a millisecond.
    Type.Object(
      { pauseMs: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }) },
      { additionalProperties: false },
    ),
  ]),
  { description: 'Write these bytes instead of a reply, then FIN; and do not write' },
);
type Raw = Static<typeof RawSchema>;

/**
 * Writes the pieces as fast as the other side takes them, until it has gone.
 *
 * @param end whether FIN follows
 * @param stopped ends it when the sandbox closes
 */
export async function writeRaw(raw: Raw, socket: Socket, end: boolean, stopped: AbortSignal): Promise<void> {
  await pipeline((options) => bytes(raw, options?.signal), socket, { end, signal: stopped });
}

async function* bytes(raw: Raw, signal?: AbortSignal): AsyncGenerator<Buffer> {
  for (const piece of raw) {
    if (typeof piece === 'string') yield Buffer.from(piece, 'latin1');
    else if ('pauseMs' in piece) await wait(piece.pauseMs, undefined, { ...(signal && { signal }) });
    else yield* repeated(piece.repeat, piece.times);
  }
}

async function* repeated(text: string, times: number): AsyncGenerator<Buffer> {
  const perChunk = Math.max(1, Math.floor(CHUNK / text.length));
  const chunk = Buffer.from(text.repeat(Math.min(perChunk, times)), 'latin1');
  for (let left = times; left > 0; left -= perChunk) {
    yield left < perChunk ? chunk.subarray(0, left * text.length) : chunk;
    // As long as the kernel takes all at once, nothing else would have its turn.
    await yieldToOthers();
  }
}
