import fc from 'fast-check';
import { type Answer, parseAnswer } from '../helpers/answers.ts';
import type { Gateway } from '../helpers/gateway.ts';
import { AUDIENCE, bearer, ISSUER, ME, OTHER, sign } from '../helpers/tokens.ts';
import { holdsFor, type Property } from './property.ts';

// Requests of every sort, most of them near the line between good and bad.

const PATH = '/me/conversations/tags';
/** Signed once: in most of these requests the session is not what is tried. */
const SESSION = await bearer({ exp: 9_999_999_999 });

const put = ({ get }: Gateway, body: string, session = SESSION): Promise<Answer> =>
  get(PATH, { method: 'PUT', headers: { 'content-type': 'application/json', ...session }, body });
const patch = ({ get }: Gateway, body: string): Promise<Answer> =>
  get(PATH, { method: 'PATCH', headers: { 'content-type': 'application/json', ...SESSION }, body });

/** Any text, lone surrogates included. fast-check's own `binary` takes a second to be made. */
const anyText = (maxLength: number) =>
  fc.string({ unit: fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)), maxLength });

/** Mostly of this kind, and sometimes anything. */
const mostly = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ weight: 20, arbitrary }, fc.jsonValue());

/** Many keep the rule, and many break it in one place. */
const id = fc.oneof(
  fc.constantFrom('cometchat-uid-3', 'cometchat-uid-1', 'project-group', 'a', 'x'.repeat(100)),
  fc.stringMatching(/^[a-z0-9_-]{0,110}$/),
  anyText(20),
  fc.constantFrom('../x', '..', '%2e%2e', 'a/b', 'a\r\nb', 'Alice', '\u0430', '__proto__', 'constructor'),
);

const tag = fc.oneof(
  { weight: 9, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }) },
  anyText(110),
  fc.constantFrom('\ud800', '\u0000', ' ', '', 'a'.repeat(100), 'a'.repeat(101), '😀'.repeat(50)),
);
const fields = fc.record(
  {
    tags: mostly(fc.array(tag, { maxLength: 5 })),
    conversationWith: mostly(id),
    conversationType: mostly(fc.constantFrom('user', 'group')),
  },
  { requiredKeys: ['tags'] },
);
const changes = fc.record(
  {
    add: mostly(fc.array(tag, { maxLength: 4 })),
    remove: mostly(fc.array(tag, { maxLength: 4 })),
    conversationWith: mostly(id),
    conversationType: mostly(fc.constantFrom('user', 'group')),
  },
  { requiredKeys: [] },
);
/** A body of which one character is changed. */
const misspelt = (fields: fc.Arbitrary<unknown>) =>
  fc.tuple(fields, fc.nat(), anyText(2)).map(([value, place, text]) => {
    const whole = JSON.stringify(value);
    const at = place % whole.length;
    return whole.slice(0, at) + text + whole.slice(at + 1);
  });
const bodyOf = (fields: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 6, arbitrary: fields.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.json() },
    { weight: 1, arbitrary: anyText(10) },
    { weight: 2, arbitrary: misspelt(fields) },
  );

const parameter = fc.oneof(
  fc.tuple(fc.constantFrom('conversationWith', 'tags'), fc.oneof(id, tag)),
  fc.tuple(fc.constant('conversationType'), fc.constantFrom('user', 'group')),
  fc.tuple(
    fc.constantFrom('page', 'perPage'),
    fc.oneof(fc.nat(120).map(String), fc.string({ maxLength: 3 })),
  ),
  fc.constantFrom(['unread', 'true'], ['unread', ''], ['__proto__', '1']),
  fc.tuple(anyText(5), anyText(5)),
);
/** A query in good form, or any text that an address can have. */
const query = fc.oneof(
  {
    weight: 9,
    arbitrary: fc
      .array(parameter, { maxLength: 3 })
      .map((pairs) => `${new URLSearchParams(pairs as string[][])}`),
  },
  { weight: 1, arbitrary: fc.stringMatching(/^[!"$-~]{0,30}$/) },
);

const fieldName = fc.oneof(
  fc.constantFrom('onBehalfOf', 'apikey', 'X-Forwarded-For', 'Host', 'Cookie', 'Origin', 'Expect', 'Upgrade'),
  fc.constantFrom('Transfer-Encoding', 'Content-Length', 'Connection', 'Content-Type', 'Authorization'),
  fc.string({ unit: 'binary-ascii', maxLength: 10 }),
);
const fieldValue = fc.oneof(
  fc.constantFrom('chunked', '11', '12', '*', 'close', 'application/json', '100-continue', 'Bearer x'),
  anyText(20),
);
const otherLine = fc
  .tuple(fc.constantFrom('GET', 'POST', 'OPTIONS', 'QUERY', 'put'), fc.constantFrom(PATH, '/', '*', '/%'))
  .map(([method, path]) => `${method} ${path} HTTP/1.1`);
const head = fc.record({
  line: fc.oneof({ weight: 9, arbitrary: fc.constant(`PUT ${PATH} HTTP/1.1`) }, otherLine, anyText(30)),
  fields: fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 3 }),
});
type Head = typeof head extends fc.Arbitrary<infer T> ? T : never;

/** Sends the header fields of a good call, with these before them. */
async function sendHead({ raw }: Gateway, { line, fields }: Head): Promise<Answer> {
  const lines = [
    line,
    ...fields.map(([name, value]) => `${name}: ${value}`),
    'Host: gateway',
    `Authorization: ${SESSION.authorization}`,
    'Content-Type: application/json',
    'Content-Length: 11',
    'Connection: close',
  ];
  // What is left of it after a length that lies is a request of its own, which is refused in turn.
  return parseAnswer(await raw(`${lines.join('\r\n')}\r\n\r\n{"tags":[]}\r\n\r\n`));
}

const claims = fc.record(
  {
    sub: fc.oneof(fc.constant(ME), fc.stringMatching(/^[a-z0-9_-]{1,20}$/), id, fc.jsonValue()),
    iss: mostly(fc.constant(ISSUER)),
    aud: mostly(fc.constant(AUDIENCE)),
    exp: mostly(fc.constant(9_999_999_999)),
    jti: fc.jsonValue(),
    act: fc.jsonValue(),
  },
  { requiredKeys: ['sub', 'iss', 'aud', 'exp'] },
);
/** Claims to be signed, or the text itself. */
const token = fc.oneof(
  { weight: 4, arbitrary: claims },
  { weight: 1, arbitrary: fc.stringMatching(/^[\w.~+/-]{0,200}=*$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[\x20-\x7e]{0,80}$/) },
);

export const PROPERTIES: Readonly<Record<string, Property>> = {
  'whatever the body is': holdsFor({ arbitrary: bodyOf(fields), send: put }),
  'whatever the change is': holdsFor({ arbitrary: bodyOf(changes), send: patch, calls: 2 }),
  'whatever the conversation is called': holdsFor({
    arbitrary: id,
    send: (gateway, conversationWith) => put(gateway, JSON.stringify({ tags: ['a'], conversationWith })),
  }),
  'whatever the query of a read is': holdsFor({
    arbitrary: fc.tuple(fc.constantFrom('getTags', 'list'), query),
    send: (gateway, [route, text]) => gateway[route](text, SESSION),
  }),
  'whatever stands before the header fields of a good call': holdsFor({ arbitrary: head, send: sendHead }),
  'whatever the token is, nobody acts but the subject that it was signed for': holdsFor({
    arbitrary: token,
    send: async (gateway, value) => {
      const signed = typeof value === 'string' ? value : await sign(value);
      const body = JSON.stringify({ tags: ['a'], conversationWith: OTHER });
      return put(gateway, body, { authorization: `Bearer ${signed}` });
    },
    actor: (value) => (typeof value === 'string' ? '' : String(value.sub)),
  }),
};
