import { Type } from '@sinclair/typebox';
import t from 'tap';
import { ProblemError } from '../../src/base/problem-error.ts';
import { readQuery } from '../../src/http/query.ts';
import { startGateway } from '../helpers/gateway.ts';
import { bearer } from '../helpers/tokens.ts';

const UNKNOWN = /^is not a parameter of this request$/;
const EMPTY = /^must not be empty/;
const ENCODED = /^must be percent-encoded UTF-8$/;
const PAGE = /^must be a whole number from 1 to 2147483647, in digits alone/;
const PER_PAGE = /^must be a whole number from 1 to 100, in digits alone/;
const NO_WHOLE_NUMBERS = [
  '0',
  '-1',
  '+1',
  '%2B1',
  '1.5',
  '01',
  '1e2',
  '0x1',
  '1n',
  '%C2%B2',
  'one',
  '1,2',
  '%201',
];

/** What is wrong with the query of either route. */
const OF_BOTH: [query: string, parameter: string, detail: RegExp][] = [
  ['unknown=1', 'unknown', UNKNOWN],
  ['__proto__=1', '__proto__', UNKNOWN],
  ['constructor=1', 'constructor', UNKNOWN],
  ['toString=1', 'toString', UNKNOWN],
  ['%5F_proto__', '__proto__', UNKNOWN],
  ['conversationtype=user', 'conversationtype', UNKNOWN],
  ['conversationType%5B%5D=user', 'conversationType[]', UNKNOWN],
  ['a%2Fb~c=1', 'a/b~c', UNKNOWN],
  ['=user', '', UNKNOWN],
  ['conversationType=channel', 'conversationType', /must be one of "user", "group"/],
  ['conversationType=User', 'conversationType', /must be one of "user", "group"/],
  ['conversationType=user&conversationType=user', 'conversationType', /^must not be repeated$/],
  ['conversationType=user&conversation%54ype=group', 'conversationType', /^must not be repeated$/],
  ['conversationType=', 'conversationType', EMPTY],
  ['conversationType', 'conversationType', EMPTY],
  ...['%', '%4', '%zz', '%ff', '%C3%28', '%ED%A0%80', '%C0%AF', '%u0041'].map(
    (text): [string, string, RegExp] => [`conversationType=${text}`, 'conversationType', ENCODED],
  ),
  ['%ff=1', '%ff', ENCODED],
];

const OF_TAGS: typeof OF_BOTH = [
  ...OF_BOTH,
  ['tags=a', 'tags', UNKNOWN],
  ['conversationType=group', 'conversationWith', /is required where conversationType is "group"/],
  ['conversationWith=Alice', 'conversationWith', /^must be 1 to 100 of a-z/],
  ['conversationWith=..%2Fusers', 'conversationWith', /^must be 1 to 100 of a-z/],
  ['conversationWith=a+b', 'conversationWith', /^must be 1 to 100 of a-z/],
  [`conversationWith=${'x'.repeat(101)}`, 'conversationWith', /^must be 1 to 100 of a-z/],
];

const OF_LISTS: typeof OF_BOTH = [
  ...OF_BOTH,
  ['conversationWith=a', 'conversationWith', UNKNOWN],
  ...NO_WHOLE_NUMBERS.map((text): (typeof OF_BOTH)[number] => [`page=${text}`, 'page', PAGE]),
  ...NO_WHOLE_NUMBERS.map((text): (typeof OF_BOTH)[number] => [`perPage=${text}`, 'perPage', PER_PAGE]),
  ['page=2147483648', 'page', PAGE],
  [`page=${'9'.repeat(400)}`, 'page', PAGE],
  ['perPage=101', 'perPage', PER_PAGE],
  ['page=1&page=2', 'page', /^must not be repeated$/],
  ['page=', 'page', EMPTY],
  ...['yes', 'false', '1', 'TRUE'].map((text): (typeof OF_BOTH)[number] => [
    `unread=${text}`,
    'unread',
    /^must be true or left out$/,
  ]),
  ['tags=a&tags=b', 'tags', /^must not be repeated$/],
  ['tags=', 'tags', EMPTY],
  ['tags=a,,b', 'tags', /^item 2 must not be empty or blank/],
  ['tags=,', 'tags', /^item 1 must not be empty or blank/],
  ['tags=a,+', 'tags', /^item 2 must not be empty or blank/],
  ['tags=%E2%80%8B', 'tags', /^item 1 must not be empty or blank/],
  ['tags=a%00', 'tags', /^item 1 must be text without control characters$/],
  [`tags=a,${'x'.repeat(101)}`, 'tags', /^item 2 must have at most 100 UTF-16 code units$/],
  [
    `tags=${Array.from({ length: 26 }, (_, n) => n)}`,
    'tags',
    /^must have at most 25 different tags, and has 26$/,
  ],
];

for (const [route, cases] of [
  ['getTags', OF_TAGS],
  ['list', OF_LISTS],
] as const) {
  t.test(`a parameter of ${route} that breaks a rule is named, and CometChat is not called`, async (t) => {
    const gateway = await startGateway(t);
    for (const [query, parameter, detail] of cases) {
      const { json } = await gateway.refused(t, () => gateway[route](query), 400, 'query-invalid');
      // An item after the first breaks no rule here, or the same one.
      t.match(json.errors[0], { parameter, detail }, query);
      t.ok(json.errors.every((error: object) => Object.keys(error).join() === 'parameter,detail'));
    }
  });
}

t.test('every parameter at fault is named once, up to ten, and each item of a list', async (t) => {
  const { list, refused } = await startGateway(t);
  const namesOf = async (query: string) => {
    const { json } = await refused(t, () => list(query), 400, 'query-invalid');
    return json.errors.map(({ parameter }: { parameter: string }) => parameter);
  };
  t.strictSame(await namesOf('page=x&perPage=x&unread=x&page2=x'), ['page2', 'unread', 'page', 'perPage']);
  t.strictSame(await namesOf('page=&page=&perPage=%zz&unread='), ['page', 'perPage', 'unread']);
  t.strictSame(await namesOf('tags=,a,'), ['tags', 'tags']);
  const many = Array.from({ length: 500 }, (_, n) => n);
  t.equal((await namesOf(many.map((n) => `p${n}=1`).join('&'))).length, 10);
  t.equal((await namesOf(many.map((n) => `p${n}=%zz`).join('&'))).length, 10);
  t.equal((await namesOf(`tags=${','.repeat(500)}`)).length, 10);
});

t.test('what is behind a number sign is read, too, and a query may be empty', async (t) => {
  const { raw, sandbox } = await startGateway(t);
  const fields = `Host: x\r\nAuthorization: ${(await bearer()).authorization}\r\nConnection: close`;
  const answerOf = (target: string) => raw(`GET /me/conversations${target} HTTP/1.1\r\n${fields}\r\n\r\n`);
  for (const target of ['#tags=a%zz', '?page=1#page=2', '#page=0']) {
    t.match(await answerOf(target), /^HTTP\/1\.1 400 .*"code":"query-invalid"/s, target);
  }
  sandbox.fault({ status: 200, body: { data: [] } });
  t.match(await answerOf('?'), /^HTTP\/1\.1 200 /);
});

const SCHEMA = Type.Object({
  text: Type.String(),
  number: Type.Integer(),
  flag: Type.Literal(true),
  list: Type.Array(Type.String()),
});

t.test('a parameter becomes what its schema says, where it can', async (t) => {
  for (const [query, expected] of [
    ['', {}],
    ['?', {}],
    ['?text=a+b%2B%C3%A9', { text: 'a b+é' }],
    ['?text=a=b==', { text: 'a=b==' }],
    ['?text=1&number=12&flag=true&list=1,2', { text: '1', number: 12, flag: true, list: ['1', '2'] }],
    ['?number=0x1&flag=false', { number: '0x1', flag: 'false' }],
    ['?list=a%2Cb,c', { list: ['a', 'b', 'c'] }],
    ['?text=a;number=1', { text: 'a;number=1' }],
    ['?text=a?b', { text: 'a?b' }],
    ['?other=1', { other: '1' }],
  ] as const) {
    t.strictSame(readQuery(`/x${query}`, SCHEMA), expected, query);
  }
});

t.test('no parameter changes the prototype of anything', async (t) => {
  const read = readQuery('/x?__proto__=1&constructor=1', SCHEMA);
  t.strictSame(Object.keys(read), ['__proto__', 'constructor']);
  t.equal(Object.getPrototypeOf(read), Object.prototype);
  t.throws(() => readQuery('/x?__proto__=%zz', SCHEMA), ProblemError);
  t.equal(Object.getPrototypeOf({}), Object.prototype);
});
