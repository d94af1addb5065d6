import t from 'tap';
import { sign } from '../helper.ts';
import { holds, id } from './property.ts';

t.test('whatever the conversation is called', async (t) => {
  const session = { authorization: `Bearer ${await sign()}` };
  await holds(t, id, ({ put }, conversationWith) => put({ tags: ['a'], conversationWith }, session));
});
