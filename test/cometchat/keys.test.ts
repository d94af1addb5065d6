import t from 'tap';
import { ApiKeys } from '../../src/cometchat/keys.ts';

t.test('the only key has nothing in its place', async (t) => {
  const keys = new ApiKeys(['a']);
  t.strictSame(keys.current, { name: 'primary', value: 'a' });
  t.equal(keys.refuse(keys.current, 0), undefined);
  t.equal(keys.current.value, 'a', 'and is tried again with the next call');
});

t.test('the second key takes over from one that was refused, and stays', async (t) => {
  const keys = new ApiKeys(['a', 'b']);
  const first = keys.current;
  t.equal(keys.refuse(first, 0)?.name, 'secondary');
  t.equal(keys.current.value, 'b');
  t.equal(keys.refuse(first, 5)?.value, 'b', 'a late refusal of the first changes nothing');
  t.equal(keys.current.value, 'b');
});

t.test('with both refused a call has one try, and the next call begins with the other key', async (t) => {
  const keys = new ApiKeys(['a', 'b']);
  const [first] = [keys.current];
  const second = keys.refuse(first, 0);
  if (!second) return t.fail('there is a second key');
  t.equal(keys.refuse(second, 1), undefined);
  t.equal(keys.current, first);
  t.equal(keys.refuse(first, 2), undefined);
  t.equal(keys.current, second);
  t.equal(keys.refuse(second, 30_002)?.value, 'a', 'half a minute later both are tried again');
});
