import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { sharedOrLocal } from '../shared-or-local.ts';
import { withoutUnknown } from './contract.ts';
import type { Edges } from './edges.ts';
import { ended, type Outcome } from './outcome.ts';
import type { Write } from './writes.ts';

/** For how long a replica that has died keeps the others waiting, beside the longest time of its try. */
const SLACK_MS = 1000;
const POLL_MS = 10;
/** Longer than any deadline. */
const KEPT_MS = 120_000;
/** For those of the same write who wait for its outcome. */
const OUTCOME_KEPT_MS = 5000;

// What replicas know of a lane: a hash with the number of its newest write, what that one says, whether somebody
// else waits with it (`joined`) and whether it has come to its end (`done`); beside it who may send at the moment, and
// the outcome of a write that several wait for.
const ENTER = `
local newest = tonumber(redis.call('HGET', KEYS[1], 'number') or 0)
local number = tonumber(ARGV[2])
if not number then
  local known = redis.call('HMGET', KEYS[1], 'body', 'done')
  if known[1] == ARGV[4] and tonumber(known[2] or 0) < newest then
    number = newest
    redis.call('HSET', KEYS[1], 'joined', number)
  else
    number = newest + 1
    redis.call('HSET', KEYS[1], 'number', number, 'body', ARGV[4])
  end
  redis.call('PEXPIRE', KEYS[1], ${KEPT_MS})
elseif number < newest then
  return {number, 'superseded'}
end
if tonumber(redis.call('HGET', KEYS[1], 'done') or 0) == number then
  local outcome = redis.call('GET', KEYS[3])
  if outcome then return {number, 'done', outcome} end
end
if ARGV[3] ~= '0' and redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[3]) then return {number, 'go'} end
return {number, 'wait'}`;

const LEAVE = `
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if ARGV[3] ~= '' then
  local known = redis.call('HMGET', KEYS[1], 'number', 'joined')
  if known[1] == ARGV[2] then
    if known[2] == ARGV[2] then
      if ARGV[3] == 'done' then return 1 end
      redis.call('SET', KEYS[3], ARGV[3], 'PX', ${OUTCOME_KEPT_MS})
    end
    redis.call('HSET', KEYS[1], 'done', ARGV[2])
  end
end
redis.call('DEL', KEYS[2])
return 0`;

type State = 'go' | 'wait' | 'superseded' | 'done';
type Reply = [number: number, state: State, outcome?: string];
interface Answer {
  readonly state: State | 'alone';
  readonly outcome?: Outcome;
}

/** The order of writes between replicas: the same as in each of them, kept in Redis. */
export class SharedOrder {
  readonly #redis: Redis;
  readonly #together: ReturnType<typeof sharedOrLocal>;

  constructor(redis: Redis, edges: Edges) {
    this.#redis = redis;
    this.#together = sharedOrLocal('write_order', edges);
  }

  /** @returns the place of a write, which is taken when it is first asked for */
  place(lane: string, body: string): Place {
    return new Place(this.#redis, this.#together, lane, body);
  }
}

/** The place of one write in the order of its lane. While Redis cannot be asked, each replica keeps its own order. */
export class Place {
  readonly #redis: Redis;
  readonly #together: ReturnType<typeof sharedOrLocal>;
  readonly #keys: readonly string[];
  readonly #digest: string;
  readonly #owner = randomUUID();
  /** '' until the place is taken. */
  #number: number | '' = '';
  #heldUntil = 0;

  constructor(redis: Redis, together: ReturnType<typeof sharedOrLocal>, lane: string, body: string) {
    this.#redis = redis;
    this.#together = together;
    this.#keys = ['', ':turn', ':outcome'].map((part) => `write:${lane}${part}`);
    this.#digest = createHash('sha256').update(body).digest('base64url');
  }

  /** Whether a try that begins now ends before any other replica may send. */
  get isHeld(): boolean {
    return performance.now() < this.#heldUntil;
  }

  /** Takes the place, without waiting for the turn. */
  async take(): Promise<void> {
    await this.#together(
      () => this.#enter(0),
      () => undefined,
    );
  }

  /**
   * Waits until the write may be sent.
   *
   * @param tryMs the longest time that its try can take
   * @returns undefined when it may; or how it has ended without: overtaken by a newer one, or together with the same
   *   one of another replica
   */
  async enter(write: Write, tryMs: number): Promise<Outcome | undefined> {
    while (!write.ended) {
      const asked = performance.now();
      const { state, outcome } = await this.#together<Answer>(
        () => this.#enter(tryMs + SLACK_MS),
        () => ({ state: 'alone' }),
      );
      if (state === 'superseded') return ended('superseded');
      if (outcome) return outcome;
      if (state !== 'wait') {
        this.#heldUntil = state === 'go' ? asked + SLACK_MS : Number.POSITIVE_INFINITY;
        return undefined;
      }
      await wait(POLL_MS * (1 + Math.random()), undefined, { signal: write.idle }).catch(() => {});
    }
    return write.ended;
  }

  /**
   * Lets others send.
   *
   * @param outcome where the write has come to its end: for those of other replicas that wait for the same one
   */
  leave(outcome?: Outcome): void {
    if (this.#heldUntil === 0) return;
    this.#heldUntil = 0;
    // What Redis does not hear of ends by its own time.
    this.#tell(outcome).catch(() => {});
  }

  async #tell(outcome: Outcome | undefined): Promise<void> {
    const isAwaited = await this.#eval(LEAVE, outcome ? 'done' : '');
    if (isAwaited && outcome) await this.#eval(LEAVE, JSON.stringify(portable(outcome)));
  }

  async #enter(leaseMs: number): Promise<Answer> {
    const [number, state, outcome] = (await this.#eval(ENTER, leaseMs, this.#digest)) as Reply;
    if (!Number.isSafeInteger(number)) throw new Error('Redis has given no place');
    this.#number = number;
    return { state, ...(outcome !== undefined && { outcome: JSON.parse(outcome) }) };
  }

  #eval(script: string, ...args: (string | number)[]): Promise<unknown> {
    return this.#redis.eval(script, this.#keys.length, ...this.#keys, this.#owner, this.#number, ...args);
  }
}

/** An outcome without what is nobody's business: texts of messages do not go into Redis. */
const portable = (outcome: Outcome): Outcome =>
  outcome.ok ? { ...outcome, conversations: outcome.conversations.map(withoutUnknown) } : outcome;
