import t from 'tap';
import { build } from '../helper.ts';

t.test('a replica that runs is alive and ready', async (t) => {
  const { get } = await build(t);
  for (const path of ['/livez', '/readyz']) {
    const answer = await get(path);
    t.equal(answer.status, 200);
    t.strictSame(answer.json, { status: 'ok' });
  }
});
