import t from 'tap';
import { buildSerializer } from '../../src/http/serializers.ts';

const route = (schema: object) => ({ method: 'GET', url: '/', httpStatus: '200', schema });
const text = { type: 'object', properties: { a: { type: 'string' } } };
const number = { type: 'object', properties: { a: { type: 'number' } } };

t.test('responses of one schema share a serializer', async (t) => {
  const [compile, other] = [buildSerializer({}, {}), buildSerializer({}, {})];
  t.equal(compile(route({ ...text })), compile(route({ ...text })));
  t.equal(other(route(text)), compile(route(text)), 'in every app');
  t.equal(compile(route(text))({ a: 1, b: 2 }), '{"a":"1"}');
  t.equal(compile(route(number))({ a: 1, b: 2 }), '{"a":1}');
});

t.test('a schema that refers to another is the same only where that is', async (t) => {
  const refers = route({ $ref: 'Answer#' });
  const serialize = (answer: object) => buildSerializer({ Answer: { $id: 'Answer', ...answer } }, {})(refers);
  t.equal(serialize(text)({ a: 1 }), '{"a":"1"}');
  t.equal(serialize(number)({ a: 1 }), '{"a":1}');
});
