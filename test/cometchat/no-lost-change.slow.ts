import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { MACHINE_CLOCK } from '../../src/base/clock.ts';
import type { ProblemCode } from '../../src/base/problems.ts';
import type { Result } from '../../src/cometchat/call.ts';
import { CLIENT_GONE, rejected } from '../../src/cometchat/outcome.ts';
import { previousIsMissing, previousRelease } from '../helpers/previous-release.ts';
import { startProcess } from '../helpers/process.ts';
import { type RedisServer, redisTest } from '../helpers/redis.ts';
import { startSandbox } from '../helpers/sandbox.ts';
import { sign } from '../helpers/tokens.ts';
import { changesOf } from './order/changes.ts';
import { playClients } from './order/clients.ts';
import { Timeline, type Write } from './order/history.ts';
import { contradiction } from './order/model.ts';

// The scenarios of no-lost-change.test.ts over real gateways in processes of their own, which share a real Redis.

const SCENARIOS = 600;
const AT_ONCE = 25;
/** Delays are a fifth of those of the simulation. */
const SCALE = 0.2;
const FAULTS = [
  'reset-on-arrival',
  'reset-before-headers',
  'applied-but-lost',
  'body-cut-short',
  'status-503',
  'transient-code',
  'origin-timeout',
] as const;
const SHARE = 0.15;

/** The client has left, or the gateway was killed. */
const NO_ANSWER: Result<unknown> = { outcome: CLIENT_GONE, retried: [], isJoined: false };

type Gateway = Awaited<ReturnType<typeof startProcess>>;

/** Sends a change or a read as an app does. */
async function send(
  { origin }: Gateway,
  { change }: Write,
  [user, conversationWith]: readonly [string, string],
  gone: AbortSignal,
): Promise<Result<unknown>> {
  const headers = {
    authorization: `Bearer ${await sign({ sub: user })}`,
    'content-type': 'application/json',
  };
  const url = `${origin}/me/conversations/tags`;
  const { kind, ...fields } = change === 'read' ? { kind: change } : change;
  const request =
    kind === 'read'
      ? fetch(`${url}?conversationWith=${conversationWith}`, { headers, signal: gone })
      : fetch(url, {
          method: kind === 'replace' ? 'PUT' : 'PATCH',
          headers,
          body: JSON.stringify({ ...fields, conversationWith }),
          signal: gone,
        });
  const response = await request;
  const { conversations, code } = (await response.json()) as { conversations?: unknown; code: ProblemCode };
  const outcome = conversations ? { ok: true, status: 200, value: conversations } : rejected(code);
  // Only the gateway knows what was joined.
  return { outcome, retried: [], isJoined: true } as Result<unknown>;
}

/** @param mains the program of each gateway */
async function holds(
  t: Test,
  mains: readonly string[],
  { redis, isKilled = false }: { redis?: RedisServer; isKilled?: boolean } = {},
): Promise<void> {
  const replicas = mains.length;
  const sandbox = await startSandbox(t, { users: SCENARIOS + 10, callsPerMinute: 1_000_000, remember: 0 });
  const env = {
    REDIS_URL: redis?.url,
    RATE_LIMIT_PER_MINUTE: '1000000',
    COMETCHAT_CALLS_PER_MINUTE: '1000000',
  };
  const gateways = await Promise.all(mains.map((main) => startProcess(t, env, { sandbox, main })));
  sandbox.chaos(SHARE, FAULTS);
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  const scenarios = fc.sample(changesOf(fc.constant('answers')), { numRuns: SCENARIOS, seed });
  const left = scenarios.entries();
  const killed = replicas - 1;
  const ends: Record<string, number> = {};
  const playOneByOne = async () => {
    for (const [number, scenario] of left) {
      if (isKilled && number === SCENARIOS / 2) gateways[killed]?.child.process.kill('SIGKILL');
      // 4 and 5 are strangers to each other.
      const pair = [`cometchat-uid-${number + 5}`, `cometchat-uid-${number + 6}`] as const;
      const timeline = new Timeline(MACHINE_CLOCK);
      const writes = await playClients(scenario, {
        replicas,
        clock: MACHINE_CLOCK,
        timeline,
        scale: SCALE,
        send: (write, gone) =>
          send(gateways[write.replica] as Gateway, write, pair, gone).catch(() => NO_ANSWER),
      });
      // What is under way comes to its end.
      await wait(300);
      const broken = contradiction(
        {
          timeline,
          writes,
          attempts: [],
          taken: [],
          tags: sandbox.world.tags(pair[0], 'users', pair[1]),
          killed: isKilled ? killed : undefined,
          // Two connections keep no order.
          precedes: (write, other) => write.answered < other.sent,
          isOnePlace: false,
          inDoubtMs: 0,
          askingMs: 0,
          delayMs: 0,
        },
        [],
      );
      if (broken) t.fail(broken, { seed, number, timeline: String(timeline) });
      for (const { result } of writes) {
        const { outcome } = result ?? NO_ANSWER;
        const end = outcome.ok ? 'ok' : outcome.errorType;
        ends[end] = (ends[end] ?? 0) + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, playOneByOne));
  t.ok((ends.ok ?? 0) > SCENARIOS, JSON.stringify(ends));
}

const CLAIM = 'what clients of real gateways change and read has an order in which it is all true';
const OURS = 'src/main.ts';
t.test(`${CLAIM}: one gateway`, (t) => holds(t, [OURS]));
redisTest(`${CLAIM}: two gateways that share a Redis`, (t, redis) => holds(t, [OURS, OURS], { redis }));
redisTest(`${CLAIM}: two gateways, one of which is killed`, (t, redis) =>
  holds(t, [OURS, OURS], { redis, isKilled: true }),
);
redisTest(
  `${CLAIM}: a gateway of the previous release beside one of ours`,
  async (t, redis) => holds(t, [previousRelease(t), OURS], { redis }),
  { skip: previousIsMissing },
);
