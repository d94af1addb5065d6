import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { timeouts } from '../src/http/raw-errors.ts';
import { type Answer, callBytes, parseAnswer } from './helpers/answers.ts';
import { startGateway } from './helpers/gateway.ts';
import { bearer, OTHER } from './helpers/tokens.ts';

// What generators of clients, and API gateways that check by it, need of openapi.yaml beside what Redocly looks for.

// biome-ignore lint/suspicious/noExplicitAny: any JSON
type Json = any;
const document: Json = parse(readFileSync(new URL('../openapi.yaml', import.meta.url), 'utf8'));
const { components, paths } = document;
const setTags = paths['/me/conversations/tags'].put;

/** Every object in a document, the examples aside. */
function* nodes(node: Json): Generator<Record<string, Json>> {
  if (typeof node !== 'object' || node === null) return;
  if (!Array.isArray(node)) yield node;
  for (const [key, value] of Object.entries(node)) if (key !== 'examples') yield* nodes(value);
}

/** What HTTP itself, browsers and caches read; it is not for the programs that call. */
const NOT_FOR_PROGRAMS = [
  'access-control-allow-credentials',
  'access-control-allow-origin',
  'access-control-expose-headers',
  'cache-control',
  'connection',
  'content-length',
  'content-type',
  'date',
  'keep-alive',
  'strict-transport-security',
  'transfer-encoding',
  'vary',
  'x-content-type-options',
];

/** The names of the header fields that a reply has for programs. */
const sent = ({ headers }: Answer): string[] =>
  [...headers.keys()].filter((name) => !NOT_FOR_PROGRAMS.includes(name));

const documented = (operation: Json, status: number): string[] =>
  Object.keys(operation.responses[status].headers).map((name) => name.toLowerCase());

/** Replies of every status that PUT /me/conversations/tags has, but for a defect's 500. */
async function replies(t: Test): Promise<Answer[]> {
  const { put, putAs, get, raw, setTags, sandbox, counted, underWay } = await startGateway(t, {
    RATE_LIMIT_PER_MINUTE: '30',
    SESSION_COOKIE: 'session',
    CORS_ORIGINS: 'https://app.example',
    HSTS_MAX_AGE: '60',
  });
  const impatient = await startGateway(
    t,
    { COMETCHAT_DEADLINE_MS: '300' },
    { server: timeouts(500, 50), sandbox },
  );
  const origin = { origin: 'https://app.example' };
  const answers = [
    await put({ tags: [], conversationWith: OTHER }, origin),
    await put('{'),
    await put({ tags: 1 }),
    await put({ tags: [] }, { authorization: '' }),
    await put({ tags: [] }, { authorization: 'Bearer x' }),
    await put({ tags: [] }, await bearer({ exp: 1 })),
    await put({ tags: [] }, { authorization: '', cookie: 'session=x' }),
    await put({ tags: [] }, await bearer({ sub: 'No Id' })),
    await put({ tags: [], conversationWith: 'nobody' }),
    await get('/me/conversations/tags', { method: 'POST', headers: origin }),
    await put({ tags: ['x'.repeat(33 * 1024)] }),
    await put({ tags: [] }, { 'content-type': 'text/plain' }),
    parseAnswer(await raw(callBytes(`X-Long: ${'x'.repeat(20_000)}`))),
    parseAnswer(await impatient.raw(callBytes().slice(0, 20))),
  ];
  for (const fault of [
    { status: 403, body: { error: { code: 'ERR_NOT_A_MEMBER' } } },
    { status: 400, body: { error: { code: 'ERR_BAD_REQUEST' } } },
    { status: 400, body: { error: { code: 'AUTH_ERR_EMPTY_APPID' } } },
    { status: 503, headers: { 'retry-after': '60' } },
  ]) {
    sandbox.fault(fault);
    answers.push(await setTags());
  }
  sandbox.play('silence');
  answers.push(await impatient.setTags());
  sandbox.forget();
  const release = sandbox.hold();
  const write = async (tag: string) => put({ tags: [tag] }, await bearer({ sub: 'cometchat-uid-1' }));
  const { answer } = await underWay(() => write('a'));
  const superseded = [write('b'), write('b')];
  await counted('joined_writes');
  const newest = write('c');
  answers.push(...(await Promise.all(superseded)));
  release();
  answers.push(...(await Promise.all([answer, newest])));
  sandbox.fault({ status: 429 });
  answers.push(await putAs('cometchat-uid-2'));
  const tooMany = await bearer({ sub: 'cometchat-uid-5' });
  for (let n = 0; n <= 30; n += 1) answers.push(await put({ tags: 1 }, tooMany));
  return answers;
}

t.test('every header field that a reply has for programs is documented under its status', async (t) => {
  const seen = new Map<number, Set<string>>();
  for (const answer of await replies(t)) {
    const { status } = answer;
    const names = documented(setTags, status);
    for (const name of sent(answer)) t.ok(names.includes(name), `${status} ${name}`);
    seen.set(status, new Set([...(seen.get(status) ?? []), ...sent(answer)]));
  }
  const expected = Object.keys(setTags.responses).filter((status) => status !== '500');
  t.strictSame([...seen.keys()].sort(), expected.map(Number).sort(), 'replies of every status');
  for (const [status, names] of seen) {
    t.strictSame(documented(setTags, status).sort(), [...names].sort(), `${status}: and no other is`);
  }
});

t.test('a change of single tags has the replies of a write', async (t) => {
  const { patch } = paths['/me/conversations/tags'];
  t.strictSame(Object.keys(patch.responses), Object.keys(setTags.responses));
  for (const status of Object.keys(patch.responses).map(Number)) {
    t.strictSame(documented(patch, status), documented(setTags, status), `${status}`);
  }
  t.match(patch.responses[409].description, /`superseded`.*`too-many-tags`/s);
});

t.test('the reads’ header fields are documented, too', async (t) => {
  const { getTags, list } = await startGateway(t);
  for (const [read, path] of [
    [getTags, '/me/conversations/tags'],
    [list, '/me/conversations'],
  ] as const) {
    for (const answer of [await read(), await read('x=1'), await read('', { authorization: 'Bearer x' })]) {
      const { status } = answer;
      const names = documented(paths[path].get, status);
      for (const name of sent(answer)) t.ok(names.includes(name), `${path} ${status} ${name}`);
    }
  }
});

t.test('the probes’ header fields are documented, too', async (t) => {
  const { app, get } = await startGateway(t);
  const ready = await get('/readyz');
  void app.shutdown.drain(0);
  for (const [path, answer] of [
    ['/livez', await get('/livez')],
    ['/readyz', ready],
    ['/readyz', await get('/readyz')],
  ] as const) {
    t.strictSame(
      documented(paths[path].get, answer.status).sort(),
      sent(answer).sort(),
      `${path} ${answer.status}`,
    );
  }
});

t.test('schemas have names, and each header field one description', async (t) => {
  t.strictSame(Object.keys(components.schemas).sort(), [
    'ChangeTagsRequest',
    'Conversation',
    'ConversationPage',
    'Conversations',
    'FieldError',
    'Group',
    'LastMessage',
    'Live',
    'Pagination',
    'ParameterError',
    'Problem',
    'Ready',
    'SetTagsRequest',
    'User',
  ]);
  for (const { schema } of nodes(paths)) {
    if (schema?.type === 'object') t.fail(`a schema without a name: ${schema.title}`);
  }
  for (const { $ref } of nodes(document)) {
    if (typeof $ref !== 'string') continue;
    const [, , kind = '', name = ''] = $ref.split('/');
    t.ok(components[kind][name], $ref);
  }
  for (const { headers = {} } of nodes(paths)) {
    for (const header of Object.values(headers) as Json[]) t.match(header.$ref, /^#\/components\/headers\//);
  }
});

t.test('texts of which there are a few are an enum', async (t) => {
  for (const { anyOf = [], const: value } of nodes(document)) {
    t.notOk(
      anyOf.some((one: Json) => one.enum || one.const),
      'no union of texts',
    );
    t.equal(value, undefined);
  }
  t.strictSame(components.schemas.Conversation.properties.conversationType.enum, ['user', 'group']);
  t.strictSame(components.schemas.SetTagsRequest.properties.conversationType.enum, ['user', 'group']);
});

t.test(
  'every pattern is one that RE2 compiles, and means the same with and without the flag u',
  async (t) => {
    const patterns = [...nodes(document)].flatMap(({ pattern }) =>
      typeof pattern === 'string' ? [pattern] : [],
    );
    t.ok(patterns.length > 1);
    for (const pattern of patterns) {
      // RE2 has no lookaround, no references back, and no \u; what else is after a backslash differs from engine to engine.
      t.notMatch(pattern, /\(\?|\\(?!x[0-9a-f]{2})/, pattern);
      for (const text of ['a', 'b-2_c', 'é', '😀', '日本', '\u0007', 'a\u0085', '', 'a b']) {
        t.equal(new RegExp(pattern).test(text), new RegExp(pattern, 'u').test(text), `${pattern} ${text}`);
      }
    }
  },
);

t.test('what a request can do without is optional for generators, too: it has no default', async (t) => {
  t.strictSame(components.schemas.SetTagsRequest.required, ['tags']);
  for (const node of nodes(components.schemas.SetTagsRequest)) t.notOk('default' in node);
});

t.test('every list in a reply has a bound', async (t) => {
  const { SetTagsRequest: _set, ChangeTagsRequest: _change, ...ofReplies } = components.schemas;
  for (const node of nodes(ofReplies)) if (node.type === 'array') t.type(node.maxItems, 'number');
});

t.test('the header field that a session cookie needs is a parameter, and not for the probes', async (t) => {
  const header = { in: 'header', name: 'X-Requested-With', required: false };
  t.match(setTags.parameters, [header]);
  t.equal(setTags.parameters.length, 1);
  for (const path of ['/me/conversations/tags', '/me/conversations']) {
    t.match(paths[path].get.parameters.at(-1), header);
  }
  for (const path of ['/livez', '/readyz']) t.equal(paths[path].get.parameters, undefined);
  t.match(document.security, [{ session: [] }, { sessionCookie: [] }]);
});

t.test('the parameters of a query have their types, defaults and bounds', async (t) => {
  const inQuery = (path: string) =>
    paths[path].get.parameters.filter((parameter: Json) => parameter.in === 'query');
  t.match(inQuery('/me/conversations/tags'), [
    { name: 'conversationWith', required: false, schema: { type: 'string' } },
    { name: 'conversationType', required: false, schema: { type: 'string', enum: ['user', 'group'] } },
  ]);
  t.match(inQuery('/me/conversations'), [
    { name: 'tags', required: false, schema: { type: 'array' }, style: 'form', explode: false },
    { name: 'conversationType', required: false, schema: { type: 'string', enum: ['user', 'group'] } },
    { name: 'unread', required: false, schema: { type: 'boolean', enum: [true] } },
    { name: 'page', required: false, schema: { type: 'integer', minimum: 1, default: 1 } },
    { name: 'perPage', required: false, schema: { type: 'integer', maximum: 100, default: 50 } },
  ]);
});

t.test('a server can be filled in', async (t) => {
  t.match(document.servers, [{ url: 'https://{host}', variables: { host: { default: /\w/ } } }]);
});
