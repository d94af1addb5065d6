import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import type { CometChatId } from '../../src/base/caller.ts';
import type { Result } from '../../src/cometchat/call.ts';
import { type CometChat, cometChatClient } from '../../src/cometchat/client.ts';
import { API_KEY, cometChatIdOf, metricOf, services, unlessInstalled } from '../helper.ts';
import { listening } from '../ports.ts';
import { RedisServer } from '../redis-server.ts';

// A write that is older never lands on a newer one, in whatever way clients, delays and failures come together:
// every scenario is one user's writes to one conversation, and what CometChat does with the calls, by chance.
const SCENARIOS = 2000;
const BATCH = 250;

/** A client's write: so long after the one before, to one of the replicas. */
const Step = fc.record({
  gapMs: fc.oneof(fc.nat(6), fc.nat(60)),
  replica: fc.nat(1),
  /** The same tags again, as an impatient tap sends them. */
  again: fc.boolean(),
  leavesMs: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(10) }),
});
/**
 * What CometChat does with a call: it takes the tags after so long, if at all, and answers after so long, if at all; or
 * it takes them when the connection is broken already.
 */
const Fate = fc.record({
  takesMs: fc.nat(5),
  answersMs: fc.nat(5),
  end: fc.oneof(
    { weight: 2800, arbitrary: fc.constant('answers' as const) },
    {
      weight: 1200,
      arbitrary: fc.constantFrom('breaks', 'breaks-untaken', 'breaks-first', 'fails', 'fails-untaken'),
    },
    { weight: 1, arbitrary: fc.constant('is-silent' as const) },
  ),
});
const Scenario = fc.record({
  writes: fc.array(Step, { minLength: 2, maxLength: 6 }),
  fates: fc.array(Fate, { maxLength: 12 }),
});
type Scenario = typeof Scenario extends fc.Arbitrary<infer T> ? T : never;
type Fate = Scenario['fates'][number];

/** A write as its client saw it; `tag` is its number, or that of the write that it repeats. */
interface Seen {
  readonly tag: number;
  readonly sent: number;
  answered: number;
  result: Result<unknown> | undefined;
}

/** A CometChat that treats each user's calls as the user's scenario says, and remembers what it has taken. */
async function cometChat(t: Test) {
  const fates = new Map<string, Fate[]>();
  const taken = new Map<string, number[]>();
  let open = 0;
  const closed = new EventEmitter();
  const server = http.createServer(async (request, response) => {
    open += 1;
    response.once('close', () => {
      open -= 1;
      closed.emit('one');
    });
    const user = String(request.headers.onbehalfof);
    const { tags } = JSON.parse(await text(request)) as { tags: string[] };
    const { takesMs, answersMs, end } = fates.get(user)?.shift() ?? {
      takesMs: 0,
      answersMs: 0,
      end: 'answers',
    };
    if (takesMs > 0) await wait(takesMs);
    if (end === 'breaks-first') {
      request.socket.resetAndDestroy();
      await wait(50);
    }
    if (!end.endsWith('untaken')) taken.get(user)?.push(Number(tags[0]));
    if (answersMs > 0) await wait(answersMs);
    if (end === 'is-silent') return;
    if (end.startsWith('breaks')) return void (request.socket.destroyed || request.socket.resetAndDestroy());
    response.statusCode = end === 'answers' ? 200 : 503;
    response.end(end === 'answers' ? JSON.stringify(DOCUMENTED_REPLY) : '');
  });
  const idle = async () => {
    while (open > 0) await once(closed, 'one');
  };
  return { baseUrl: `http://127.0.0.1:${await listening(t, server)}`, fates, taken, idle };
}

/** Plays a scenario to its end, and tells what every client has seen. */
async function play(replicas: readonly CometChat[], user: CometChatId, { writes }: Scenario) {
  const seen: Seen[] = [];
  const ends: Promise<void>[] = [];
  for (const [number, { gapMs, replica, again, leavesMs }] of writes.entries()) {
    if (gapMs > 0) await wait(gapMs);
    const tag = again ? (seen.at(-1)?.tag ?? number) : number;
    const one: Seen = { tag, sent: performance.now(), answered: Number.POSITIVE_INFINITY, result: undefined };
    seen.push(one);
    const gone = leavesMs === null ? new AbortController().signal : AbortSignal.timeout(leavesMs);
    const { lanes, deadlineMs } = replicas[replica % replicas.length] as CometChat;
    const answer = lanes
      .write(
        { type: 'user', id: user },
        { kind: 'replace', tags: [String(tag)] },
        { onBehalfOf: user, gone, deadline: performance.now() + deadlineMs },
      )
      .then((result) => {
        one.result = result;
        // A client that has left does not know when its write has ended.
        if (!gone.aborted) one.answered = performance.now();
      });
    ends.push(answer);
  }
  await Promise.all(ends);
  return seen;
}

/**
 * @param taken the tags as CometChat has taken them, one after the other
 * @param inOrder whether the writes came to one process, so that their order is known without doubt
 * @returns what is wrong with it; '' where nothing is
 */
function fault(seen: readonly Seen[], taken: readonly number[], inOrder: boolean): string {
  const sentFirst = (tag: number) =>
    Math.min(...seen.filter((one) => one.tag === tag).map(({ sent }) => sent));
  const answeredLast = (tag: number) =>
    Math.max(...seen.filter((one) => one.tag === tag).map(({ answered }) => answered));
  for (const [at, tag] of taken.entries()) {
    const older = taken.slice(at + 1).find((next) => next < tag);
    if (older === undefined) continue;
    if (inOrder || answeredLast(older) < sentFirst(tag)) return `${older} was taken after ${tag}`;
  }
  for (const [at, { tag, sent, answered, result }] of seen.entries()) {
    if (!result) return `write ${at} has no end`;
    const { outcome } = result;
    if (outcome.ok && !taken.includes(tag)) return `write ${at} was acknowledged and never taken`;
    // The tags that stand at the end are those of the last acknowledged write, or of one that nobody can be sure of.
    const last = taken.at(-1) ?? -1;
    const isLost = inOrder ? last < tag : answeredLast(last) < sent;
    if (outcome.ok && isLost) return `write ${at} was acknowledged, and ${last} stands`;
    // What two replicas have under way at the same time has no order but the one in which Redis hears of it. Equal writes are
    // one in a process alone.
    const hasNewer = seen.some(
      (other, index) =>
        other.sent < answered &&
        (inOrder ? other.tag > tag : index !== at && other.answered > sentFirst(tag)),
    );
    if (!outcome.ok && outcome.problem === 'superseded' && !hasNewer)
      return `nothing has superseded write ${at}`;
  }
  return '';
}

async function holds(t: Test, replicas: number, redisUrl?: string): Promise<void> {
  const { baseUrl, fates, taken, idle } = await cometChat(t);
  const all = Array.from({ length: replicas }, () =>
    services(undefined, { random: () => Math.random() / 20 }),
  );
  const clients = await Promise.all(
    all.map(async (around) => {
      const redis = redisUrl === undefined ? undefined : new Redis(redisUrl);
      const config = {
        baseUrl,
        apiKeys: { current: [API_KEY] },
        deadlineMs: 20_000,
        // Longer than a busy machine keeps a call: one that is late may land on a newer one, and is not what is tried here.
        attemptTimeoutMs: 5000,
        maxConcurrency: 10_000,
        callsPerMinute: 10_000_000,
      };
      const client = cometChatClient(config, { ...around, redis });
      t.teardown(() => {
        client.close();
        redis?.disconnect();
      });
      if (redis) await once(redis, 'ready');
      return client;
    }),
  );
  const seed = Math.floor(Math.random() * 2 ** 31);
  const scenarios = fc.sample(Scenario, { numRuns: SCENARIOS, seed });
  const problems: string[] = [];
  for (let start = 0; start < SCENARIOS; start += BATCH) {
    const batch = scenarios.slice(start, start + BATCH).map((scenario, index) => ({
      scenario,
      user: cometChatIdOf(`user-${start + index}`),
    }));
    for (const { scenario, user } of batch) {
      fates.set(user, [...scenario.fates]);
      taken.set(user, []);
    }
    const played = await Promise.all(batch.map(({ user, scenario }) => play(clients, user, scenario)));
    await idle();
    for (const [index, { user, scenario }] of batch.entries()) {
      const wrong = fault(played[index] ?? [], taken.get(user) ?? [], replicas === 1);
      if (wrong)
        problems.push(
          `${user} (seed ${seed}): ${wrong}; taken ${taken.get(user)}; ${JSON.stringify(scenario)}`,
        );
    }
  }
  t.strictSame(problems.slice(0, 3), [], 'no scenario breaks the promise');
  const counted = async (counter: string) => {
    const counts = await Promise.all(all.map(({ metrics }) => metricOf(metrics, counter)));
    return counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  };
  t.equal(await counted('circuit_opened_total'), 0, 'the circuit was closed');
  const retries = await counted('retries_total');
  t.ok(retries > SCENARIOS / 50, `and ${retries} retries were made`);
  t.ok((await counted('merged_writes_total')) > SCENARIOS / 20, 'and writes were merged');
}

t.test('in one process', (t) => holds(t, 1));

t.test('in two replicas that share a Redis', unlessInstalled('redis-server'), async (t) => {
  await holds(t, 2, (await RedisServer.start(t)).url);
});
