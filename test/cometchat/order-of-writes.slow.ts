import http from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import type { CometChatId } from '../../src/base/caller.ts';
import { MACHINE_CLOCK } from '../../src/base/clock.ts';
import { type CometChat, cometChatClient } from '../../src/cometchat/client.ts';
import { countsOf } from '../helpers/metrics.ts';
import { listening } from '../helpers/ports.ts';
import { type RedisServer, redisTest } from '../helpers/redis.ts';
import { cometChatIdOf, services } from '../helpers/room.ts';
import { API_KEY } from '../helpers/secrets.ts';
import { playClients } from './order/clients.ts';
import { type History, Timeline, type Write } from './order/history.ts';
import { brokenPromise, EFFECTS } from './order/promises.ts';
import { ENDS, type End, type Fate, GOOD, type Scenario, scenarioOf, WRITES } from './order/scenario.ts';

// The scenarios of order-of-writes.test.ts in real time: over real connections, and with a real Redis.
const SCENARIOS = 2000;
const USERS_AT_ONCE = 100;

/**
 * Played before the scenarios, so that the connections are open and the circuit has seen CometChat do well. A busy machine takes
 * long to open so many connections at once, and what is given up meanwhile may land on a newer write.
 */
const CALM: Scenario = {
  writes: [0, 1].map((replica) => ({ gapMs: 0, replica, repeats: 0, leavesMs: null, change: undefined })),
  fates: [],
  latenciesMs: [0],
  chance: 0,
};

/** Delays are a tenth of those of the simulation, and no reply has Retry-After. */
const SCALE = 0.1;
/** How long after an attempt has ended CometChat carries out what it had been sent. */
const LATE_MS = 50;

/** Most go well, or the circuit would open for all; and hardly any is silent, for that takes seconds. */
const END = fc.oneof(
  { weight: 2800, arbitrary: fc.constant<End>('answers') },
  {
    weight: 1200,
    arbitrary: fc.constantFrom(...ENDS.filter((end) => !end.startsWith('is silent'))),
  },
  { weight: 1, arbitrary: fc.constant<End>('is silent, written') },
);

/** What a user's scenario says, and what has come of it. */
interface Played {
  readonly fates: Fate[];
  readonly taken: number[];
  readonly timeline: Timeline;
}

/** A CometChat that treats each user's calls as the user's scenario says, and remembers what it has taken. */
async function cometChat(t: Test) {
  const users = new Map<string, Played>();
  const underWay = new Set<Promise<void>>();
  const serve = async (request: http.IncomingMessage, response: http.ServerResponse) => {
    const { fates, taken, timeline } = users.get(String(request.headers.onbehalfof)) as Played;
    const [tag] = (JSON.parse(await text(request)) as { tags: string[] }).tags;
    const { takesMs, answersMs, end } = fates.shift() ?? GOOD;
    timeline.tell(`CometChat is asked for tag ${tag}, and ${end}`);
    const take = () => {
      taken.push(Number(tag));
      timeline.tell(`CometChat takes tag ${tag}`);
    };
    await wait(takesMs);
    if (WRITES.has(end)) take();
    await wait(answersMs * SCALE);
    if (end.startsWith('is silent')) return;
    if (end.startsWith('breaks')) request.socket.resetAndDestroy();
    else {
      response.statusCode = Number(/\d{3}/.exec(end)?.[0] ?? 200);
      response.end(end === 'answers' ? JSON.stringify(DOCUMENTED_REPLY) : '');
    }
    if (!end.endsWith('written late')) return;
    await wait(LATE_MS);
    take();
  };
  const server = http.createServer((request, response) => {
    const work = serve(request, response).catch(() => {});
    underWay.add(work);
    void work.then(() => underWay.delete(work));
  });
  const idle = async () => {
    while (underWay.size > 0) await Promise.all(underWay);
  };
  return { baseUrl: `http://127.0.0.1:${await listening(t, server)}`, users, idle };
}

/** Plays the scenario of one user. */
const play = (clients: readonly CometChat[], user: CometChatId, scenario: Scenario, timeline: Timeline) =>
  playClients(scenario, {
    replicas: clients.length,
    clock: MACHINE_CLOCK,
    timeline,
    scale: SCALE,
    send: ({ replica, tag }, gone) => {
      const { lanes, deadline } = clients[replica] as CometChat;
      return lanes.write(
        { type: 'user', id: user },
        { kind: 'replace', tags: [String(tag)] },
        { onBehalfOf: user, gone, deadline: deadline(0) },
      );
    },
  });

async function holds(t: Test, replicas: number, server?: RedisServer): Promise<void> {
  const { baseUrl, users, idle } = await cometChat(t);
  const all = Array.from({ length: replicas }, () =>
    services(undefined, { random: () => Math.random() / 20 }),
  );
  const clients = await Promise.all(
    all.map(async (around) => {
      const redis = await server?.client(t);
      const config = {
        baseUrl,
        apiKeys: { current: [API_KEY] },
        deadlineMs: 20_000,
        attemptTimeoutMs: 10_000,
        maxConcurrency: 10_000,
        callsPerMinute: 10_000_000,
      };
      const client = cometChatClient(config, { ...around, redis });
      t.teardown(() => client.close());
      return client;
    }),
  );
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  const scenarios = fc.sample(scenarioOf(END), { numRuns: SCENARIOS, seed });
  const playAll = async (them: readonly Scenario[]) => {
    const left = them.values();
    const played: (Played & { scenario: Scenario; writes: Write[] })[] = [];
    const playOneByOne = async () => {
      for (const scenario of left) {
        const user = cometChatIdOf(`user-${users.size}`);
        const one = { fates: [...scenario.fates], taken: [], timeline: new Timeline(MACHINE_CLOCK) };
        users.set(user, one);
        played.push({ scenario, ...one, writes: await play(clients, user, scenario, one.timeline) });
      }
    };
    await Promise.all(Array.from({ length: USERS_AT_ONCE }, playOneByOne));
    return played;
  };
  await playAll(Array.from({ length: USERS_AT_ONCE }, () => CALM));
  const played = await playAll(scenarios);
  await idle();
  for (const { scenario, writes, taken, timeline } of played) {
    const history: History = {
      timeline,
      writes,
      attempts: [],
      taken,
      // What two gateways have under way at the same time has no order but the one in which Redis hears of it.
      precedes: (write, other) =>
        replicas === 1 ? writes.indexOf(write) < writes.indexOf(other) : write.answered < other.sent,
      isOnePlace: replicas === 1,
      inDoubtMs: 0,
      askingMs: 0,
      delayMs: 0,
    };
    const broken = brokenPromise(history, EFFECTS);
    if (broken) t.fail(broken, { seed, timeline: String(timeline), scenario: JSON.stringify(scenario) });
  }
  const counts = await Promise.all(all.map(({ metrics }) => countsOf(metrics)));
  const counted = (name: string) => counts.reduce((sum, one) => sum + (one[name] ?? 0), 0);
  t.equal(counted('circuit_opened'), 0, 'the circuit was closed');
  t.ok(counted('retries') > SCENARIOS / 50, `and ${counted('retries')} retries were made`);
  t.ok(counted('joined_writes') > SCENARIOS / 20, 'and writes were joined');
}

t.test('in real time, an older write never lands on a newer one: one gateway', (t) => holds(t, 1));

redisTest(
  'in real time, an older write never lands on a newer one: two gateways that share a Redis',
  (t, redis) => holds(t, 2, redis),
);
