// Uses the client where features are missing, as they are in React Native, and prints what came of it. A program of its own, since the
// gateway of the tests has them.

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

const { createClient } = await import('../../client/src/index.ts');
const chat = createClient({ baseUrl, token: () => token });
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
