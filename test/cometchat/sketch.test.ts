import t from 'tap';
import { sketch } from '../../src/cometchat/sketch.ts';

t.test('a sketch has the names and the types of a document, and no value', async (t) => {
  const document = {
    data: [{ tags: ['vip'], unread: 3, seen: null, with: { uid: 'george' } }, 'other'],
    ok: true,
  };
  t.equal(
    sketch(document),
    '{data:[{seen:null,tags:[string],unread:number,with:{uid:string}}|string],ok:boolean}',
  );
  t.equal(sketch('text'), 'string');
  t.equal(sketch([]), '[]');
});

t.test('a name that may be a value is left out', async (t) => {
  for (const name of ['cometchat-uid-3', '5551234', 'a b', 'mail@host', '', 'x'.repeat(41)]) {
    t.equal(sketch({ [name]: 1 }), '{*:number}');
  }
});

t.test('it is small, however large the document', async (t) => {
  const wide = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`f${'x'.repeat(n % 9)}`, n]));
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`f${n}`, n]));
  const deep = JSON.parse(`${'{"a":'.repeat(500)}1${'}'.repeat(500)}`);
  t.ok(sketch({ wide, many, deep }).length < 1000);
  t.match(sketch(many), /,\.\.\.\}$/);
  t.match(sketch(deep), /^(\{a:){5}\.\.\.\}{5}$/);
  t.equal(sketch(Array(10_000).fill(1)), '[number]');
});
