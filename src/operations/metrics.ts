import { Counter, Registry } from 'prom-client';

/** What is counted, for Prometheus; a registry of its own for each gateway in a process. */
export class Metrics {
  readonly registry = new Registry();

  readonly problems = new Counter({
    name: 'cometchat_gateway_problems_total',
    help: 'Requests that ended in an error, by the code of the problem',
    labelNames: ['code'],
    registers: [this.registry],
  });

  readonly redisFailures = new Counter({
    name: 'cometchat_gateway_redis_failures_total',
    help: 'Times that Redis could not be asked: rate limits then count in this process, sessions are refused',
    labelNames: ['use'],
    registers: [this.registry],
  });

  readonly keyFetches = new Counter({
    name: 'cometchat_gateway_session_key_fetches_total',
    help: 'Fetches of the keys that sessions are signed with, by result',
    labelNames: ['result'],
    registers: [this.registry],
  });
}
