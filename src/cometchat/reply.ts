import type { IncomingHttpHeaders } from 'node:http';
import type { Reply } from '../base/http-client.ts';
import type { ProblemCode } from '../base/problems.ts';
import type { Failure, Outcome } from './call.ts';
import { readConversations, readErrorCode } from './conversation.ts';
import { problemOf } from './errors.ts';
import { rateLimitSeconds, retryAfterSeconds } from './retry-after.ts';
import { sketch } from './sketch.ts';

/**
 * Decides by the body what a reply of CometChat's means; by the status where the body says nothing.
 *
 * @param now in UNIX seconds
 */
export function interpret({ status, headers, body: bytes }: Reply, now: number): Outcome {
  const body = parseJson(headers, bytes);
  const code = readErrorCode(body);
  const success = status >= 200 && status < 300;
  if (success && code === undefined) {
    const conversations = readConversations(body);
    if (conversations) return { ok: true, status, conversations };
    return { ...invalidReply('reply_invalid'), status, shape: body === undefined ? 'no JSON' : sketch(body) };
  }
  // Not followed: the key would go along to wherever it points.
  if (status >= 300 && status < 400) return { ...invalidReply('redirect'), status };
  const problem = problemOf(status, code);
  const wait = WAITS[problem]?.(headers, now);
  return {
    ok: false,
    status,
    ...(code !== undefined && { code }),
    problem,
    errorType: code ?? String(status),
    ...(wait !== undefined && { retryAfterSeconds: wait }),
  };
}

/** Problems that waiting may help with, and how long that is. */
const WAITS: Partial<Record<ProblemCode, typeof retryAfterSeconds>> = {
  'cometchat-busy': rateLimitSeconds,
  'cometchat-failed': retryAfterSeconds,
};

export const invalidReply = (errorType: string): Failure => ({
  ok: false,
  problem: 'cometchat-reply-invalid',
  errorType,
});

/** Keeps a byte-order mark, which JSON.parse() then refuses, as it should (RFC 8259, section 8.1). */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** @returns the parsed body, or undefined where it is no JSON */
function parseJson(headers: IncomingHttpHeaders, bytes: Uint8Array): unknown {
  const type = headers['content-type'];
  if (type !== undefined && !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type)) return undefined;
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    return undefined;
  }
}
