import {
  type Call,
  type Client,
  callOf,
  type Reading,
  type Requester,
  type Send,
  Waiters,
} from '../../../src/cometchat/call.ts';
import { failedExchange, failedReply } from '../../../src/cometchat/errors.ts';
import { Lanes } from '../../../src/cometchat/lanes.ts';
import { leasesOf } from '../../../src/cometchat/lease.ts';
import { getForMerge } from '../../../src/cometchat/operations.ts';
import { type Outcome, TURN_LOST } from '../../../src/cometchat/outcome.ts';
import { Quota } from '../../../src/cometchat/quota.ts';
import { withRetries } from '../../../src/cometchat/retries.ts';
import { cometChatIdOf, services } from '../../helpers/room.ts';
import { type Failover, ScriptedRedis } from '../../helpers/scripted-redis.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';
import { playClients } from './clients.ts';
import { type Attempt, type History, NEVER, Timeline } from './history.ts';
import { type Fate, GOOD, isInDoubt, type Scenario, WRITES } from './scenario.ts';

/** How long an exchange goes on when nobody waits for it any more; exchange.ts holds that. */
const LINGER_MS = 250;
/** How long lease.ts waits at most before it asks again. */
const LONGEST_POLL_MS = 20;
/** Log and metrics, which nobody reads here. */
const SHARED = services();
// A gauge is declared once, and here are many quotas.
SHARED.metrics.gauge = (() => {}) as never;
const ME = cometChatIdOf('me');
const TARGET = { type: 'user', id: cometChatIdOf('other') } as const;

export interface World {
  readonly replicas: number;
  /** By a Redis. */
  readonly isShared: boolean;
  readonly attemptTimeoutMs?: number;
  readonly deadlineMs?: number;
  /** What CometChat has before. */
  readonly tags?: readonly string[];
  /** When the last of the gateways is killed. */
  readonly killedMs?: number | undefined;
  readonly failover?: Failover | undefined;
}

/** Plays a scenario with the real lanes, leases, quota and retries, by a virtual clock and before a scripted CometChat and Redis. */
export async function simulate(scenario: Scenario, world: World): Promise<History> {
  const { replicas, isShared, attemptTimeoutMs = 300, deadlineMs = 2000, killedMs, failover } = world;
  const inDoubtMs = Math.min(attemptTimeoutMs, deadlineMs / 2);
  const clock = new VirtualClock();
  const timeline = new Timeline(clock);
  const redis = isShared ? new ScriptedRedis(clock, failover) : undefined;
  const latencies = endless(scenario.latenciesMs);
  const fates = [...scenario.fates];
  const attempts: Attempt[] = [];
  const taken: (readonly string[])[] = [];
  const tags = () => taken.at(-1) ?? world.tags ?? [];
  let turnsLost = 0;
  const isKilled = (replica: number) =>
    killedMs !== undefined && replica === replicas - 1 && clock.now() >= killedMs;

  const gateways = Array.from({ length: replicas }, (_, replica) => {
    const seams = { ...SHARED.seams, clock, now: () => clock.now(), random: () => scenario.chance };
    const dead = () => isKilled(replica);
    const around = { ...SHARED, redis: redis?.connection(latencies, dead), seams };
    /** The way to the wire, and over it. */
    const send = async (call: Call<unknown>): Promise<Outcome<unknown>> => {
      const fate = fates.shift() ?? GOOD;
      if (fate.beforeMs > 0) await clock.wait(fate.beforeMs);
      if (dead()) return new Promise(() => {});
      const refusal = call.mayStart();
      if (refusal === TURN_LOST) turnsLost += 1;
      if (refusal) return refusal;
      const { body } = call.operation;
      const sent: string[] | undefined = body && JSON.parse(body).tags;
      const attempt = {
        tags: sent,
        tag: Number(sent?.[0]),
        replica,
        started: clock.now(),
        delayedMs: fate.beforeMs,
        ended: NEVER,
        isInDoubt: sent !== undefined && isInDoubt(fate.end),
      };
      attempts.push(attempt);
      const number = attempts.length;
      const what = sent ? `sends tags ${sent}` : 'reads the tags';
      timeline.tell(`gateway ${replica} ${what}, attempt ${number}: ${fate.end}`);
      const outcome = await exchange(clock, fate, {
        take: () => {
          if (sent) taken.push(sent);
          timeline.tell(`CometChat takes attempt ${number}, and has tags ${tags()}`);
        },
        read: () => call.operation.read({ data: conversation(tags()) }),
        timeoutMs: Math.min(attemptTimeoutMs, call.waiters.deadline - clock.now()),
        lateMs: inDoubtMs - 1,
        abandoned: call.waiters.abandoned,
      });
      attempt.ended = clock.now();
      if (!outcome.ok && outcome.errorType === 'client_gone') attempt.isInDoubt = sent !== undefined;
      const end = outcome.ok ? 'ok' : outcome.errorType;
      timeline.tell(`attempt ${number} ends: ${end}${attempt.isInDoubt ? ', and it may still land' : ''}`);
      return outcome;
    };
    const once = new Quota(1_000_000, around).around(send as Send);
    const run = withRetries(around);
    const lanes = new Lanes({
      send: once,
      run,
      refusal: () => undefined,
      leaseOf: around.redis && leasesOf(around.redis, attemptTimeoutMs, around),
      attemptTimeoutMs,
      deadlineMs,
      metrics: around.metrics,
      clock,
    });
    const read = async (client: Requester & Client) => {
      const waiters = new Waiters(clock);
      const call = callOf(getForMerge(TARGET), client, waiters);
      const outcome = await waiters.join(() => run({ waiters, attempt: () => once(call) }), client);
      return { outcome, retried: [], isJoined: false };
    };
    return { lanes, read };
  });

  const play = async () => {
    const writes = await playClients(scenario, {
      replicas,
      clock,
      timeline,
      send: ({ replica, change }, gone) => {
        const gateway = gateways[replica] as (typeof gateways)[number];
        const client = { onBehalfOf: ME, gone, deadline: clock.now() + deadlineMs };
        return change === 'read' ? gateway.read(client) : gateway.lanes.write(TARGET, change, client);
      },
    });
    // What is under way, or late, comes to its end.
    await clock.wait(3000);
    return writes;
  };
  const writes = await clock.run(play());
  // A write asks Redis twice at most before all know of it; in a failover until one poll after that.
  const failoverMs = failover ? failover.forMs + LONGEST_POLL_MS : 0;
  const slackMs = 4 * Math.max(...scenario.latenciesMs) + 1 + failoverMs;
  redis?.check();
  return {
    timeline,
    writes,
    attempts,
    taken: taken.map(([tag]) => Number(tag)),
    tags: tags(),
    killed: killedMs === undefined ? undefined : replicas - 1,
    hasFailover: failover !== undefined,
    counted: redis?.number('quota:', ':total'),
    precedes: (write, other) =>
      replicas === 1 ? writes.indexOf(write) < writes.indexOf(other) : write.sent + slackMs < other.sent,
    isOnePlace: replicas === 1,
    inDoubtMs,
    askingMs: isShared ? slackMs + LONGEST_POLL_MS : 0,
    // After a lost turn, the lease and the quota ask Redis again.
    delayMs: scenario.fates.reduce((sum, { beforeMs }) => sum + beforeMs, turnsLost * slackMs),
  };
}

interface Exchange {
  /** Writes the tags down, if there are any. */
  take(): void;
  /** Reads CometChat's reply. */
  read(): Reading<unknown>;
  readonly timeoutMs: number;
  /** As late as an attempt in doubt may be carried out. */
  readonly lateMs: number;
  readonly abandoned: AbortSignal;
}

/** One exchange with a CometChat that does as it is told. */
async function exchange(
  clock: VirtualClock,
  { end, takesMs, answersMs }: Fate,
  { take, read, timeoutMs, lateMs, abandoned }: Exchange,
): Promise<Outcome<unknown>> {
  const { promise, resolve } = Promise.withResolvers<Outcome<unknown>>();
  const cancel = clock.after(timeoutMs, () => resolve(failedExchange('timeout_response')));
  abandoned.addEventListener('abort', () =>
    clock.after(LINGER_MS, () => resolve(failedExchange('client_gone'))),
  );
  let reading: Reading<unknown> = { mismatch: '' };
  if (WRITES.has(end)) {
    clock.after(takesMs, () => {
      take();
      reading = read();
    });
  }
  if (end.endsWith('written late')) clock.after(lateMs, take);
  if (!end.startsWith('is silent')) clock.after(takesMs + answersMs, () => resolve(outcomeOf(end, reading)));
  return promise.finally(cancel);
}

function outcomeOf(end: Fate['end'], reading: Reading<unknown>): Outcome<unknown> {
  if (end === 'answers' && 'value' in reading) return { ok: true, status: 200, ...reading };
  if (end === 'answers 404') return failedReply(404, 'ERR_UID_NOT_FOUND');
  if (end.startsWith('breaks')) return failedExchange('ECONNRESET');
  const failure = failedReply(end.includes('504') ? 504 : 503, undefined);
  return end.endsWith('with Retry-After') ? { ...failure, retryAfterSeconds: 1 } : failure;
}

const conversation = (tags: readonly string[]) => ({
  conversationId: 'me_user_other',
  conversationType: 'user',
  conversationWith: { uid: 'other' },
  tags,
});

/** Gives the values over and over again. */
function endless(values: readonly number[]): () => number {
  let next = 0;
  return () => values[next++ % values.length] ?? 0;
}
