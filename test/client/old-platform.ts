// Uses the client where features are missing, as they are in React Native, and prints what came of it. A program of its own, since the
// gateway of the tests has them.

import http from 'node:http';
import { text } from 'node:stream/consumers';

const [baseUrl = '', token = ''] = process.argv.slice(2);

const MISSING: readonly [from: object, name: string][] = [
  [AbortSignal, 'any'],
  [AbortSignal, 'timeout'],
  [AbortSignal, 'abort'],
  [AbortSignal.prototype, 'reason'],
  [AbortSignal.prototype, 'throwIfAborted'],
  [Promise, 'withResolvers'],
  [globalThis, 'DOMException'],
  [globalThis, 'URL'],
  [globalThis, 'URLSearchParams'],
  [globalThis, 'structuredClone'],
];
for (const [from, name] of MISSING) {
  if (!Reflect.deleteProperty(from, name) || name in from) throw new Error(`${name} cannot be deleted`);
}

/** Node.js's own fetch needs them, so here is one that has no more than the client uses. */
const fetch = (url: string, { method, headers, body, signal }: RequestInit) =>
  new Promise((resolve, reject) => {
    const options = { method, headers: headers as Record<string, string> };
    const request = http.request(url, options, (response) =>
      resolve({
        ok: response.statusCode === 200,
        status: response.statusCode,
        headers: { get: (name: string) => response.headers[name] ?? null },
        text: () => text(response),
      }),
    );
    signal?.addEventListener('abort', () => request.destroy(new Error('aborted')));
    request.on('error', reject).end(body);
  });

const { createClient } = await import('../../client/src/index.ts');
const chat = createClient({ baseUrl, token: () => token, fetch: fetch as typeof globalThis.fetch });
const target = { conversationWith: 'cometchat-uid-3' };
const nameOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: { name: string; code?: string }) => `${error.name} ${error.code ?? ''}`.trim(),
  );

const before = new AbortController();
before.abort();
const during = new AbortController();
const ended = nameOf(chat.tags.get(target, { signal: during.signal }));
setImmediate(() => during.abort());
const results = {
  set: (await chat.tags.set(target, ['a', 'b'])).tags,
  page: (await chat.conversations.page({ tags: ['a'], perPage: 1 })).pagination,
  refused: await nameOf(chat.tags.set(target, [''])),
  abortedBefore: await nameOf(chat.tags.get(target, { signal: before.signal })),
  abortedDuring: await ended,
  late: await nameOf(chat.tags.get(target, { timeoutMs: 1 })),
};
process.stdout.write(`${JSON.stringify(results)}\n`);
