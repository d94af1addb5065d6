import t from 'tap';
import type { Call, Send } from '../../src/cometchat/call.ts';
import type { Change } from '../../src/cometchat/change.ts';
import { failedExchange } from '../../src/cometchat/errors.ts';
import { Lanes } from '../../src/cometchat/lanes.ts';
import { leasesOf } from '../../src/cometchat/lease.ts';
import type { Outcome } from '../../src/cometchat/outcome.ts';
import { Quota } from '../../src/cometchat/quota.ts';
import { withRetries } from '../../src/cometchat/retries.ts';
import { cometChatIdOf, services } from '../helpers/room.ts';
import { ScriptedRedis } from '../helpers/scripted-redis.ts';
import { VirtualClock } from '../helpers/virtual-clock.ts';

// Between its read and its write a change of single tags can lose the lane, or CometChat's own apps can write past it.

const ME = cometChatIdOf('me');
const OTHER = cometChatIdOf('other');
const NEVER = new AbortController().signal;

/** CometChat as the test has it: what an attempt does to the tags, and what comes of it. */
type Answer = (sent: string[] | undefined) => Promise<Outcome<unknown>>;

class Replica {
  readonly sent: string[] = [];
  readonly #lanes: Lanes;
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock, redis: ScriptedRedis | undefined, answer: Answer) {
    this.#clock = clock;
    const around = services(
      redis?.connection(() => 0),
      { clock, now: () => clock.now(), random: () => 0 },
    );
    const send = async (call: Call<unknown>) => {
      const refusal = call.mayStart();
      if (refusal) return refusal;
      const tags: string[] | undefined = call.operation.body && JSON.parse(call.operation.body).tags;
      this.sent.push(`${clock.now()} ms: ${tags ?? 'read'}`);
      return answer(tags);
    };
    this.#lanes = new Lanes({
      send: new Quota(1_000_000, around).around(send as Send),
      run: withRetries(around),
      refusal: () => undefined,
      leaseOf: around.redis && leasesOf(around.redis, 1500, around),
      attemptTimeoutMs: 1500,
      deadlineMs: 60_000,
      metrics: around.metrics,
      clock,
    });
  }

  async add(tag: string): Promise<string> {
    const change: Change = { kind: 'merge', add: [tag], remove: [] };
    const client = { onBehalfOf: ME, gone: NEVER, deadline: this.#clock.now() + 60_000 };
    const { outcome } = await this.#lanes.write({ type: 'user', id: OTHER }, change, client);
    return outcome.ok ? 'ok' : outcome.errorType;
  }
}

const found = (tags: string[]): Outcome<unknown> => ({
  ok: true,
  status: 200,
  value: [{ conversationId: 'c', conversationType: 'user', conversationWith: { uid: 'other' }, tags }],
});

t.test('a change whose lease ran out while it read, reads again', async (t) => {
  const clock = new VirtualClock();
  const redis = new ScriptedRedis(clock);
  let tags: string[] = [];
  const cometchat =
    (readMs: () => number): Answer =>
    async (sent) => {
      if (sent) tags = sent;
      const read = [...tags];
      if (!sent) await clock.wait(readMs());
      return found(read);
    };
  const frozen = [5000];
  const slow = new Replica(
    clock,
    redis,
    cometchat(() => frozen.shift() ?? 0),
  );
  const quick = new Replica(
    clock,
    redis,
    cometchat(() => 0),
  );
  const both = Promise.all([slow.add('a'), clock.wait(3000).then(() => quick.add('b'))]);
  t.strictSame(await clock.run(both), ['ok', 'ok']);
  t.strictSame(slow.sent, ['0 ms: read', '5000 ms: read', '5000 ms: b,a'], 'its first read was too old');
  t.strictSame(quick.sent, ['3000 ms: read', '3000 ms: b']);
  t.strictSame(tags, ['b', 'a']);
});

t.test('a change in doubt that comes to other tags now waits until the doubt is over', async (t) => {
  const clock = new VirtualClock();
  let tags: string[] = [];
  let writes = 0;
  const replica = new Replica(clock, undefined, async (sent) => {
    if (!sent) return found([...tags]);
    writes += 1;
    if (writes > 1) {
      tags = sent;
      return found(sent);
    }
    // One of CometChat's own apps writes, and then the attempt lands after all.
    tags = ['theirs'];
    clock.after(1400, () => {
      tags = sent;
    });
    return failedExchange('ECONNRESET');
  });
  t.equal(await clock.run(replica.add('a')), 'ok');
  t.strictSame(replica.sent, ['0 ms: read', '0 ms: a', '0 ms: read', '1500 ms: read']);
  t.strictSame(tags, ['a']);
});

t.test('a change in doubt that comes to the same tags does not wait', async (t) => {
  const clock = new VirtualClock();
  const outcomes = [failedExchange('ECONNRESET')];
  const replica = new Replica(clock, undefined, async (sent) => (sent && outcomes.shift()) || found([]));
  t.equal(await clock.run(replica.add('a')), 'ok');
  t.strictSame(replica.sent, ['0 ms: read', '0 ms: a', '0 ms: read', '0 ms: a']);
});

t.test('a change that was written in vain is refused where there is no room for it any more', async (t) => {
  const clock = new VirtualClock();
  let tags = Array.from({ length: 24 }, (_, number) => `t${number}`);
  const replica = new Replica(clock, undefined, async (sent) => {
    if (!sent) return found([...tags]);
    // One of CometChat's own apps is quicker.
    tags = [...tags, 'theirs'];
    return failedExchange('ECONNREFUSED');
  });
  t.equal(await clock.run(replica.add('a')), 'too-many-tags');
  t.equal(replica.sent.filter((what) => !what.endsWith('read')).length, 1);
});
