import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { sharedOrLocal } from '../redis/shared-or-local.ts';
import { ended, type Outcome } from './call.ts';
import { withoutUnknown } from './conversation.ts';
import type { Edges } from './edges.ts';
import type { Write } from './write.ts';

/** For how long a replica that has died keeps the others waiting, beside the longest time of its try. */
const SLACK_MS = 1000;
const POLL_MS = 10;
/** Longer than any deadline. */
const KEPT_MS = 120_000;
/** For those of the same write who wait for its outcome. */
const OUTCOME_KEPT_MS = 5000;

// What replicas know of a lane: a hash with the number of its newest write, what that one says and when it came, whether
// somebody else waits with it (`joined`) and whether it has come to its end (`done`); beside it who may send at the
// moment, and the number and outcome of a write that several wait for.
// Who comes without a number, for the first time, is the newest. Who has none since Redis could not be asked, or one
// that Redis has lost, is the newest only if nobody came later.
const ENTER = `
local owner, number, lease, body, age = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4], tonumber(ARGV[5])
local known = redis.call('HMGET', KEYS[1], 'number', 'body', 'done', 'at')
local newest, done = tonumber(known[1] or 0), tonumber(known[3] or 0)
local kept = number and redis.call('GET', KEYS[3])
if kept and string.find(kept, number .. ' ', 1, true) == 1 then
  return {number, 'done', string.sub(kept, #ARGV[2] + 2)}
end
if number and number < newest then return {number, 'superseded'} end
if number ~= newest or known[2] ~= body then
  local time = redis.call('TIME')
  local came = time[1] * 1000 + math.floor(time[2] / 1000) - age
  if known[2] == body and done < newest then
    number = newest
    redis.call('HSET', KEYS[1], 'joined', number)
  elseif age > 0 and tonumber(known[4] or 0) > came then
    return {newest, 'superseded'}
  else
    number = newest + 1
    redis.call('HSET', KEYS[1], 'number', number, 'body', body, 'at', came)
  end
  redis.call('PEXPIRE', KEYS[1], ${KEPT_MS})
end
local holder = redis.call('GET', KEYS[2])
if lease == '0' or (holder and holder ~= owner) then return {number, 'wait'} end
redis.call('SET', KEYS[2], owner, 'PX', lease)
return {number, 'go'}`;

const LEAVE = `
local owner, number, outcome, keeps = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if redis.call('GET', KEYS[2]) ~= owner then return 0 end
if outcome ~= '' then
  local known = redis.call('HMGET', KEYS[1], 'number', 'joined')
  if known[1] == number then
    if known[2] == number then
      if outcome == 'done' then return 1 end
      redis.call('SET', KEYS[3], number .. ' ' .. outcome, 'PX', ${OUTCOME_KEPT_MS})
    end
    redis.call('HSET', KEYS[1], 'done', number)
  end
end
if keeps == '' then redis.call('DEL', KEYS[2]) end
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
  #owner: string = randomUUID();
  readonly #born = performance.now();
  /** '' until the place is taken. */
  #number: number | '' = '';
  #hasAsked = false;
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

  /** Whether this place, which has been taken, is that of another write of this process as well. */
  isWith(other: Place): boolean {
    return this.#number === '' || this.#number === other.#number;
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
      if (outcome) {
        write.isMerged = true;
        return outcome;
      }
      if (state !== 'wait') {
        this.#heldUntil = state === 'go' ? asked + SLACK_MS : Number.POSITIVE_INFINITY;
        return undefined;
      }
      await wait(POLL_MS * (1 + Math.random()), undefined, { signal: write.idle }).catch(() => {});
    }
    return write.ended;
  }

  /**
   * Tells those of other replicas that wait for the same write how it has ended, and lets others send.
   *
   * @param outcome where it holds for them as well
   * @param keeps the turn, for now
   */
  leave(outcome?: Outcome, keeps = false): void {
    if (this.#heldUntil === 0) return;
    if (!keeps) this.#heldUntil = 0;
    // What Redis does not hear of ends by its own time.
    this.#tell(outcome, keeps ? 'keeps' : '').catch(() => {});
  }

  /** Goes on with the turn of another place. */
  takeOver(other: Place): void {
    this.#owner = other.#owner;
    this.#heldUntil = other.#heldUntil;
  }

  async #tell(outcome: Outcome | undefined, keeps: string): Promise<void> {
    const isAwaited = await this.#eval(LEAVE, outcome ? 'done' : '', keeps);
    if (isAwaited && outcome) await this.#eval(LEAVE, JSON.stringify(portable(outcome)), keeps);
  }

  async #enter(leaseMs: number): Promise<Answer> {
    const age = this.#hasAsked ? Math.ceil(performance.now() - this.#born) : 0;
    this.#hasAsked = true;
    const [number, state, outcome] = (await this.#eval(ENTER, leaseMs, this.#digest, age)) as Reply;
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
