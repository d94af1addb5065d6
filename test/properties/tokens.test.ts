import fc from 'fast-check';
import t from 'tap';
import { AUDIENCE, ISSUER, ME, sign } from '../helper.ts';
import { holds, id } from './property.ts';

/** Mostly this value, and sometimes anything. */
const mostly = (value: unknown) => fc.oneof({ weight: 30, arbitrary: fc.constant(value) }, fc.jsonValue());

const claims = fc.record(
  {
    sub: fc.oneof(fc.constant(ME), fc.stringMatching(/^[a-z0-9_-]{1,20}$/), id, fc.jsonValue()),
    iss: mostly(ISSUER),
    aud: mostly(AUDIENCE),
    exp: mostly(9_999_999_999),
    jti: fc.jsonValue(),
    act: fc.jsonValue(),
  },
  { requiredKeys: ['sub', 'iss', 'aud', 'exp'] },
);
const token = fc.oneof(
  { weight: 4, arbitrary: claims },
  { weight: 1, arbitrary: fc.stringMatching(/^[\w.~+/-]{0,200}=*$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[\x20-\x7e]{0,80}$/) },
);

t.test('whatever the token, nobody acts but the subject that it was signed for', (t) =>
  holds(
    t,
    token,
    async ({ put }, value, index) => {
      const bearer = typeof value === 'string' ? value : await sign(value);
      const body = { tags: [String(index)], conversationWith: 'cometchat-uid-3' };
      return put(body, { authorization: `Bearer ${bearer}` });
    },
    ({ body }, values) => {
      const value = values[Number(JSON.parse(body).tags[0])];
      return typeof value === 'object' ? String(value.sub) : '';
    },
  ),
);
