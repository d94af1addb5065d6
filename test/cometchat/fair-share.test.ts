import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { waitForShare } from '../../src/cometchat/quota.ts';
import { redisTest, withAndWithoutRedis } from '../helpers/redis.ts';
import { quotaOf } from './quota-of.ts';

/** One minute of a quota, and the users who ask for calls in it. */
function minuteOf(limit: number) {
  const had = new Map<string, number>();
  let spent = 0;
  const wait = (user: string, elapsedMs: number) =>
    waitForShare({ limit, spent, mine: had.get(user) ?? 0, elapsedMs });
  /** @returns whether the user got a call */
  const ask = (user: string, elapsedMs = 0) => {
    const isServed = wait(user, elapsedMs) === 0;
    if (isServed) spent += 1;
    had.set(user, (had.get(user) ?? 0) + Number(isServed));
    return isServed;
  };
  return { ask, wait, left: () => limit - spent, users: () => had.size };
}

const Limit = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 20_000 }));
/** So many calls by this user, one after the other; a few users come again and again. */
const Asking = fc.record({
  user: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.nat(300)),
  calls: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.constant(20_000)),
});

t.test('however greedy the others are, and in whatever order, whoever comes next is served', async () => {
  const property = fc.property(Limit, fc.array(Asking, { maxLength: 400 }), (limit, askings) => {
    const minute = minuteOf(limit);
    for (const { user, calls } of askings) {
      for (let n = 0; n < calls && minute.ask(`${user}`); n += 1);
      const users = minute.users();
      if (users < 2 * Math.sqrt(limit) - 1) {
        assert.equal(minute.wait('newcomer', 0), 0, `${users} users have called`);
      }
      if (users < Math.sqrt(limit) - 1) {
        assert.ok(minute.left() > limit / (users + 1), `${users} users have left ${minute.left()}`);
      }
    }
  });
  fc.assert(property, { numRuns: 100 });
});

t.test('users who come one after the other, each greedy, all get some', async (t) => {
  for (const limit of [30, 90, 500, 20_000]) {
    const minute = minuteOf(limit);
    let users = 0;
    while (minute.ask(`${users}`)) {
      while (minute.ask(`${users}`));
      users += 1;
    }
    t.ok(users > 2 * Math.sqrt(limit), `${users} users of a quota of ${limit}`);
  }
});

t.test('what the minute brings to those who had their share never is the last call', async () => {
  const At = fc.record({ user: fc.nat(20), ms: fc.integer({ min: 0, max: 59_999 }) });
  const property = fc.property(Limit, fc.array(At, { maxLength: 2000 }), (limit, asked) => {
    const minute = minuteOf(limit);
    const seen = new Set<number>();
    for (const { user, ms } of asked.toSorted((a, b) => a.ms - b.ms)) {
      const isNew = !seen.has(user);
      const left = minute.left();
      const isServed = minute.ask(`${user}`, ms);
      if (isNew) assert.equal(isServed, left > 0, 'a first call is served while there is any');
      else if (isServed) assert.ok(minute.left() > 0, 'and no other call takes the last one');
      seen.add(user);
    }
  });
  fc.assert(property, { numRuns: 100 });
});

t.test('many users at once share nearly all of it alike', async (t) => {
  const minute = minuteOf(20_000);
  const had = Array.from({ length: 100 }, () => 0);
  for (let round = 0; round < 500; round += 1) {
    had.forEach((calls, user) => {
      had[user] = calls + Number(minute.ask(`${user}`));
    });
  }
  t.ok(Math.max(...had) - Math.min(...had) <= 1);
  t.ok(Math.min(...had) >= 0.9 * 200, `each had ${Math.min(...had)} of 200`);
});

const GREEDY = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];

withAndWithoutRedis('a quota of 30 leaves a call for whoever comes after nine floods', async (t, server) => {
  const { ask } = quotaOf(30, await server?.client(t));
  for (const user of GREEDY) await Promise.all(Array.from({ length: 60 }, () => ask(user)));
  t.equal(await ask('newcomer'), 0);
});

redisTest('and so do two replicas', async (t, server) => {
  const clock = { now: 0 };
  const [one, two] = [quotaOf(30, await server.client(t), clock), quotaOf(30, await server.client(t), clock)];
  for (const user of GREEDY) {
    await Promise.all(Array.from({ length: 60 }, (_, n) => (n % 2 ? one : two).ask(user)));
    // What they have taken back is counted back before anything that is asked later.
    await Promise.all([one, two].map(({ ask }) => ask(user)));
  }
  t.equal(await two.ask('newcomer'), 0);
});
