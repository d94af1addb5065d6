import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { PROBLEMS, type ProblemCode } from '../base/problems.ts';
import { PROBLEM_BY_CODE } from '../cometchat/errors.ts';
import { REFUSALS, type Refusal } from '../session/reasons.ts';

/** CometChat's keys, by the names that may be told. */
const API_KEYS = ['primary', 'secondary'] as const;
export type ApiKeyName = (typeof API_KEYS)[number];

/** What Redis is used for. */
const REDIS_USES = ['session', 'revocation', 'rate_limit', 'write_order', 'quota'] as const;
export type RedisUse = (typeof REDIS_USES)[number];

/** How a try of a call to CometChat can end. */
const TRY_RESULTS: readonly (ProblemCode | 'ok' | 'client_gone')[] = [
  'ok',
  'client_gone',
  'cometchat-timeout',
  'cometchat-reply-invalid',
  ...Object.values(PROBLEM_BY_CODE),
];

const PREFIX = 'cometchat_gateway_';

/** In seconds. https://opentelemetry.io/docs/specs/semconv/http/http-metrics/ names them, and the metrics' labels. */
const DURATIONS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/** Any other is `_OTHER`: a client could make up as many as it likes. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);
export const methodLabel = (method: string): string => (METHODS.has(method) ? method : '_OTHER');

/** What is counted, for Prometheus; a registry of its own for each gateway in a process. No label is a client's word. */
export class Metrics {
  readonly registry = new Registry();

  readonly serverDuration = new Histogram({
    name: 'http_server_request_duration_seconds',
    help: 'How long requests took, from their header fields to the last byte of the answer',
    labelNames: ['http_request_method', 'http_route', 'http_response_status_code', 'error_type'],
    buckets: DURATIONS,
    registers: [this.registry],
  });

  readonly clientDuration = new Histogram({
    name: 'http_client_request_duration_seconds',
    help: 'How long single calls to CometChat took',
    labelNames: [
      'http_request_method',
      'url_template',
      'http_response_status_code',
      'error_type',
      'server_address',
      'server_port',
    ],
    buckets: DURATIONS,
    registers: [this.registry],
  });

  readonly problems = this.#counter(
    'problems_total',
    'Requests that ended in an error, by the code of the problem',
    { code: Object.keys(PROBLEMS) as ProblemCode[] },
  );
  readonly clientsGone = this.#counter(
    'clients_gone_total',
    'Requests whose client left before the answer',
    {},
  );
  readonly rateLimited = this.#counter(
    'rate_limited_total',
    'Requests beyond a limit, by the limit: one user’s or one address’s',
    { limit: ['user', 'address'] },
  );
  readonly sessionsRefused = this.#counter(
    'sessions_refused_total',
    'Sessions that were not taken, by the reason',
    { reason: REFUSALS as readonly Refusal[] },
  );
  readonly keyFetches = this.#counter(
    'session_key_fetches_total',
    'Fetches of the keys that sessions are signed with, by result',
    { result: ['ok', 'failed'] },
  );
  readonly redisFailures = this.#counter(
    'redis_failures_total',
    'Times that Redis could not be asked: sessions are then refused, the rest is done by each replica for itself',
    { use: REDIS_USES },
  );

  readonly tries = this.#counter(
    'tries_total',
    'Tries of calls to CometChat, by result: ok, client_gone, or the code of the problem',
    { result: TRY_RESULTS },
  );
  readonly retries = this.#counter('retries_total', 'Tries that followed a failed one', {});
  readonly retriesWithheld = this.#counter(
    'retries_withheld_total',
    'Tries that were not made since too many of the calls before had needed several',
    {},
  );
  readonly mergedWrites = this.#counter(
    'merged_writes_total',
    'Requests that were the same as one under way, and got its answer',
    {},
  );

  readonly quotaShareRefusals = this.#counter(
    'quota_share_refusals_total',
    'Calls that ended since their user had used up a fair share of the quota, while there were some left for others',
    {},
  );

  readonly keyRefusals = this.#counter(
    'api_key_refusals_total',
    'Times that CometChat refused an API key of the gateway',
    { key: API_KEYS },
  );

  readonly circuitOpened = this.#counter(
    'circuit_opened_total',
    'Times that CometChat began to fail so much that calls ended in the gateway',
    {},
  );
  readonly circuitOpen = this.#gauge('circuit_open', '1 while CometChat fails and calls end in the gateway');

  readonly secretReloads = this.#counter('secret_reloads_total', 'Times that the secrets were read again', {
    result: ['ok', 'failed'],
  });
  readonly secretsStale = this.#gauge(
    'secrets_stale',
    '1 while the secrets of before are used, since the files are not fit to be',
  );

  /** Shows which API key calls begin with. */
  showKey(nameInUse: () => ApiKeyName): void {
    this.#gauge('api_key_in_use', '1 for the API key that calls begin with', ['key'], (gauge) => {
      for (const key of API_KEYS) gauge.set({ key }, Number(key === nameInUse()));
    });
  }

  /** Shows how many calls are left of CometChat's quota, as this replica knows it. */
  showQuota(callsLeft: () => number): void {
    this.#gauge('quota_calls_left', 'Calls that are left of this minute’s quota', [], (gauge) =>
      gauge.set(callsLeft()),
    );
  }

  /** Shows whether Redis can be asked; without a Redis there is no such metric. */
  showRedis(isConnected: () => boolean): void {
    this.#gauge('redis_connected', '1 while Redis can be asked', [], (gauge) =>
      gauge.set(Number(isConnected())),
    );
  }

  /** Every value of the labels is there from the start, at 0: what appears with its first event has no increase. */
  #counter<L extends string, V extends string>(name: string, help: string, values: Record<L, readonly V[]>) {
    const labelNames = Object.keys(values) as L[];
    const counter = new Counter({ name: PREFIX + name, help, labelNames, registers: [this.registry] });
    for (const label of labelNames) {
      for (const value of values[label]) counter.inc({ [label]: value } as unknown as Record<L, V>, 0);
    }
    return counter;
  }

  /** @param collect sets the value when it is asked for */
  #gauge<L extends string = never>(
    name: string,
    help: string,
    labelNames: L[] = [],
    collect: (gauge: Gauge<L>) => void = () => {},
  ): Gauge<L> {
    return new Gauge({
      name: PREFIX + name,
      help,
      labelNames,
      registers: [this.registry],
      collect() {
        collect(this);
      },
    });
  }
}
