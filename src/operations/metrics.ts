import { Counter, Gauge, Registry } from 'prom-client';

/** What Redis is used for. */
export type RedisUse = 'session' | 'revocation' | 'rate_limit' | 'write_order' | 'quota';

/** What is counted, for Prometheus; a registry of its own for each gateway in a process. */
export class Metrics {
  readonly registry = new Registry();

  readonly problems = new Counter({
    name: 'cometchat_gateway_problems_total',
    help: 'Requests that ended in an error, by the code of the problem',
    labelNames: ['code'],
    registers: [this.registry],
  });

  readonly clientsGone = new Counter({
    name: 'cometchat_gateway_clients_gone_total',
    help: 'Requests whose client left before the answer',
    registers: [this.registry],
  });

  readonly redisFailures = new Counter({
    name: 'cometchat_gateway_redis_failures_total',
    help: 'Times that Redis could not be asked: sessions are then refused, the rest is done by each replica for itself',
    labelNames: ['use'],
    registers: [this.registry],
  });

  readonly keyFetches = new Counter({
    name: 'cometchat_gateway_session_key_fetches_total',
    help: 'Fetches of the keys that sessions are signed with, by result',
    labelNames: ['result'],
    registers: [this.registry],
  });

  readonly tries = new Counter({
    name: 'cometchat_gateway_tries_total',
    help: 'Tries of calls to CometChat, by result: ok, client_gone, or the code of the problem',
    labelNames: ['result'],
    registers: [this.registry],
  });

  readonly retries = new Counter({
    name: 'cometchat_gateway_retries_total',
    help: 'Tries that followed a failed one',
    registers: [this.registry],
  });

  readonly retriesWithheld = new Counter({
    name: 'cometchat_gateway_retries_withheld_total',
    help: 'Tries that were not made since too many of the calls before had needed several',
    registers: [this.registry],
  });

  readonly mergedWrites = new Counter({
    name: 'cometchat_gateway_merged_writes_total',
    help: 'Requests that were the same as one under way, and got its answer',
    registers: [this.registry],
  });

  readonly keyRefusals = new Counter({
    name: 'cometchat_gateway_api_key_refusals_total',
    help: 'Times that CometChat refused an API key of the gateway',
    labelNames: ['key'],
    registers: [this.registry],
  });

  readonly circuitOpened = new Counter({
    name: 'cometchat_gateway_circuit_opened_total',
    help: 'Times that CometChat began to fail so much that calls ended in the gateway',
    registers: [this.registry],
  });

  readonly circuitOpen = new Gauge({
    name: 'cometchat_gateway_circuit_open',
    help: '1 while CometChat fails and calls end in the gateway',
    registers: [this.registry],
  });
}
