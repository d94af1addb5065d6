import fc from 'fast-check';
import t from 'tap';
import { parseAnswer, sign } from '../helper.ts';
import { holds } from './property.ts';

const PATH = '/me/conversations/tags';
const fieldName = fc.oneof(
  fc.constantFrom('onBehalfOf', 'apikey', 'X-Forwarded-For', 'Host', 'Cookie', 'Origin', 'Expect', 'Upgrade'),
  fc.constantFrom('Transfer-Encoding', 'Content-Length', 'Connection', 'Content-Type', 'Authorization'),
  fc.string({ unit: 'binary-ascii', maxLength: 10 }),
);
const fieldValue = fc.oneof(
  fc.constantFrom('chunked', '11', '12', '*', 'close', 'application/json', '100-continue', 'Bearer x'),
  fc.string({ unit: 'binary', maxLength: 20 }),
);
const otherLine = fc
  .tuple(fc.constantFrom('GET', 'POST', 'OPTIONS', 'QUERY', 'put'), fc.constantFrom(PATH, '/', '*', '/%'))
  .map(([method, path]) => `${method} ${path} HTTP/1.1`);
const request = fc.record({
  line: fc.oneof(
    { weight: 9, arbitrary: fc.constant(`PUT ${PATH} HTTP/1.1`) },
    otherLine,
    fc.string({ unit: 'binary', maxLength: 30 }),
  ),
  fields: fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 3 }),
});

t.test('whatever stands before and between the header fields of a good call', async (t) => {
  const session = `Authorization: Bearer ${await sign()}`;
  await holds(t, request, async ({ raw }, { line, fields }) => {
    const head = [
      line,
      ...fields.map(([name, value]) => `${name}: ${value}`),
      'Host: gateway',
      session,
      'Content-Type: application/json',
      'Content-Length: 11',
      'Connection: close',
    ];
    // What is left of it after a length that lies is a request of its own, which is refused in turn.
    return parseAnswer(await raw(`${head.join('\r\n')}\r\n\r\n{"tags":[]}\r\n\r\n`));
  });
});
