import t from 'tap';
import { waitForShare } from '../../src/cometchat/quota.ts';

t.test('who has not had a fair share may call as long as there is any quota', async (t) => {
  t.equal(waitForShare({ limit: 100, spent: 99, mine: 0, users: 1, elapsedMs: 0 }), 0);
  t.equal(waitForShare({ limit: 100, spent: 60, mine: 32, users: 2, elapsedMs: 0 }), 0);
  t.equal(
    waitForShare({ limit: 3, spent: 2, mine: 0, users: 50, elapsedMs: 0 }),
    0,
    'a share is one call at least',
  );
});

t.test('who has had one waits until the minute has gone as far as the quota', async (t) => {
  t.equal(waitForShare({ limit: 100, spent: 50, mine: 50, users: 1, elapsedMs: 15_000 }), 15_600);
  t.equal(waitForShare({ limit: 100, spent: 50, mine: 50, users: 1, elapsedMs: 30_600 }), 0);
});

t.test('a single user gets the whole quota in time', async (t) => {
  let spent = 0;
  for (let second = 0; second < 60; second += 1) {
    while (waitForShare({ limit: 30, spent, mine: spent, users: 1, elapsedMs: second * 1000 }) === 0)
      spent += 1;
    t.ok(spent < 30 || second > 55, 'and leaves something to others until the end');
  }
  t.equal(spent, 29);
});

t.test('when it is gone everybody waits for the next minute', async (t) => {
  t.equal(waitForShare({ limit: 10, spent: 10, mine: 0, users: 9, elapsedMs: 45_000 }), 15_000);
  t.equal(waitForShare({ limit: 10, spent: 12, mine: 0, users: 9, elapsedMs: 0 }), 60_000);
});
