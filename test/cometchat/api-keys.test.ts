import t from 'tap';
import { ApiKeys } from '../../src/cometchat/api-keys.ts';

t.test('the only key has nothing in its place', async (t) => {
  const keys = new ApiKeys(['a']);
  t.strictSame(keys.current, { name: 'primary', value: 'a' });
  t.strictSame(keys.refuse(keys.current, 0), { other: undefined, isNews: true });
  t.equal(keys.current.value, 'a', 'and is tried again with the next call');
});

t.test('the second key takes over from one that was refused, and stays', async (t) => {
  const keys = new ApiKeys(['a', 'b']);
  const first = keys.current;
  t.match(keys.refuse(first, 0), { other: { name: 'secondary' }, isNews: true });
  t.equal(keys.current.value, 'b');
  t.match(keys.refuse(first, 5), { other: { value: 'b' }, isNews: false }, 'a late refusal changes nothing');
  t.equal(keys.current.value, 'b');
});

t.test(
  'with both refused a call has one exchange, and the next call begins with the other key',
  async (t) => {
    const keys = new ApiKeys(['a', 'b']);
    const first = keys.current;
    const second = keys.refuse(first, 0).other;
    if (!second) return t.fail('there is a second key');
    t.strictSame(keys.refuse(second, 1), { other: undefined, isNews: true });
    t.equal(keys.current, first);
    t.strictSame(keys.refuse(first, 2), { other: undefined, isNews: false });
    t.equal(keys.current, second);
    t.equal(keys.refuse(second, 1002).other?.value, 'a', 'a second later both are tried again');
  },
);

t.test('the operator hears of a key once a minute', async (t) => {
  const keys = new ApiKeys(['a']);
  const news = [0, 1000, 59_999, 60_000, 60_001].map((now) => keys.refuse(keys.current, now).isNews);
  t.strictSame(news, [true, false, false, true, false]);
});

t.test(
  'a key that has been replaced while it was under way gives way to the new one, and is no news',
  async (t) => {
    const replaced = new ApiKeys(['a']).current;
    const keys = new ApiKeys(['b', 'c']);
    t.strictSame(keys.refuse(replaced, 0), { other: keys.current, isNews: false });
    t.equal(keys.current.value, 'b', 'which nobody has refused');
  },
);

t.test('the first key is asked for again after five minutes, and no sooner', async (t) => {
  const keys = new ApiKeys(['a', 'b']);
  t.equal(keys.begin(0).value, 'a');
  keys.refuse(keys.current, 0);
  t.equal(keys.begin(299_999).value, 'b');
  t.equal(keys.begin(300_000).value, 'a');
  keys.refuse(keys.current, 300_001);
  t.equal(keys.begin(300_002).value, 'b');
});
