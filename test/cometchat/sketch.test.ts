import t from 'tap';
import { sketch } from '../../src/cometchat/sketch.ts';

t.test('a sketch has the names and the types of a document, and no value', async (t) => {
  const document = {
    data: [{ tags: ['vip'], unread: 3, seen: null, conversationWith: { uid: 'george' } }, 'other'],
    ok: true,
  };
  t.equal(
    sketch(document),
    '{data:[{conversationWith:{uid:string},seen:null,tags:[string],unread:number}|string],ok:boolean}',
  );
  t.equal(sketch('text'), 'string');
  t.equal(sketch([]), '[]');
});

t.test('a name that may be a value is left out', async (t) => {
  for (const name of ['cometchat-uid-3', '5551234', 'a b', 'mail@host', '', 'x'.repeat(41)]) {
    t.equal(sketch({ [name]: 1 }), '{*:number}');
  }
});

t.test('so are those in objects whose fields users may have named', async (t) => {
  const tags = { secret: { by: 'george' } };
  t.equal(
    sketch({ data: { tags, unread: { george: 1 } } }),
    '{data:{tags:{*:{*:string}},unread:{*:number}}}',
  );
});

t.test('it is small, however large the document', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`f${'x'.repeat(n % 40)}${n}`, n]));
  const deep = JSON.parse(`${'{"data":'.repeat(500)}1${'}'.repeat(500)}`);
  t.match(sketch(many), /^\{(\*:number,){30}\.\.\.\}$/);
  t.equal(sketch(deep), '{data:{data:{data:{data:{data:...}}}}}');
  t.equal(sketch(Array(10_000).fill(1)), '[number]');
  const wide = Object.fromEntries(Array.from({ length: 30 }, (_, n) => ['x'.repeat(n + 10), n]));
  t.equal(sketch({ data: wide, error: wide }).length, 500);
});
