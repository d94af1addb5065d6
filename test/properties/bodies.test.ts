import fc from 'fast-check';
import t from 'tap';
import { sign } from '../helper.ts';
import { holds, id } from './property.ts';

const tag = fc.oneof(
  { weight: 9, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }) },
  fc.string({ unit: 'binary', maxLength: 110 }),
  fc.constantFrom('\ud800', '\u0000', ' ', '', 'a'.repeat(100), 'a'.repeat(101), '😀'.repeat(50)),
);
/** Mostly of this kind, and sometimes anything. */
const mostly = (arbitrary: fc.Arbitrary<unknown>) => fc.oneof({ weight: 20, arbitrary }, fc.jsonValue());
const fields = fc.record(
  {
    tags: mostly(fc.array(tag, { maxLength: 5 })),
    conversationWith: mostly(id),
    conversationType: mostly(fc.constantFrom('user', 'group')),
  },
  { requiredKeys: ['tags'] },
);
const body = fc.oneof(
  { weight: 6, arbitrary: fields.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  // A good body with one character changed.
  {
    weight: 2,
    arbitrary: fc
      .tuple(fields, fc.nat(), fc.string({ unit: 'binary', maxLength: 2 }))
      .map(([value, at, text]) => {
        const whole = JSON.stringify(value);
        return whole.slice(0, at % whole.length) + text + whole.slice((at % whole.length) + 1);
      }),
  },
);

t.test('whatever the body', async (t) => {
  const session = { authorization: `Bearer ${await sign()}` };
  await holds(t, body, ({ put }, text) => put(text, session));
});
