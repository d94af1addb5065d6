import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import http from 'node:http';
import t, { type Test } from 'tap';
import { DOCUMENTED_REPLY } from '../../sandbox/world.ts';
import { load, type Request, type Tally } from '../helpers/load.ts';
import { type Counts, countsAt } from '../helpers/metrics.ts';
import { listening } from '../helpers/ports.ts';
import { type Child, startProcess } from '../helpers/process.ts';
import { sign } from '../helpers/tokens.ts';

/** After how many hundreds of requests it is looked at what is left of them. */
const LOOKS = [200, 600, 1000];
/**
 * By how many bytes the last look may see more than the first: fewer than 40 for each request in between, less than any
 * object that is kept for it. What may grow is the code that is compiled for what is often run, and the counts of users
 * and addresses, of which every minute has its own.
 */
const MORE_BYTES = 3_000_000;
/** Users, and addresses: few, so that those counts have no weight, and so many that none of them gets too much. */
const MANY = 200;
const PER_MINUTE = 200;
const CONNECTIONS = 48;
const SLOW_MS = 20;
const SOON_MS = 10_000;

/** A hundred requests of every kind that could leave something behind; most of them end before CometChat. */
function* hundred(n: number, tokens: readonly string[], leaving: Leaving): Generator<Request> {
  const user = tokens[n % MANY] ?? '';
  const greedy = tokens[MANY] ?? '';
  const forged = user.slice(0, -20);
  for (let i = 0; i < 64; i += 1) yield { path: `/${n}-${i}` };
  for (let i = 0; i < 6; i += 1) yield { path: '/livez' };
  // Sessions that are none, from many addresses and from one that has used up its limit.
  for (let i = 0; i < 5; i += 1) yield put(`${n}-${i}`, '', from(n % MANY));
  for (let i = 0; i < 2; i += 1)
    yield put(`${forged}${String(2 * n + i).padStart(20, '0')}`, '', from(n % MANY));
  for (let i = 0; i < 6; i += 1) yield put(`${n}-${i}`, '', from(MANY));
  // Calls of a user who has used up hers, and those that break a rule.
  for (let i = 0; i < 3; i += 1) yield put(greedy, '{}');
  yield put(user, `{"tags":[${n}]}`);
  yield put(user, `{"tags":["${n}"`);
  yield put(user, '{}', { 'content-type': `text/${n}` });
  yield { headers: { 'x-long': String(n).padStart(17_000, '0') } };
  // Writes: two that are joined, one that is superseded, one that is retried, one whose client leaves.
  for (const tag of ['a', 'a', 'b', 'c']) yield write(user, `slow-${n}`, tag);
  for (let i = 0; i < 4; i += 1) yield write(user, `other-${n}-${i}`);
  yield write(user, `flaky-${n}`);
  const name = `${n % 2 ? 'slow' : 'lost'}-leaving-${n}`;
  yield { ...write(user, name), signal: leaving.when(name) };
}

const put = (token: string, body: string, headers: Record<string, string> = {}): Request => ({
  method: 'PUT',
  path: '/me/conversations/tags',
  headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
  body,
});

const from = (n: number) => ({ 'x-forwarded-for': `192.0.2.${n}` });

const write = (token: string, conversationWith: string, tag = 'a'): Request =>
  put(token, JSON.stringify({ tags: [tag], conversationWith }));

/** Clients that leave as soon as CometChat is asked for the conversation of this name. */
class Leaving {
  readonly #clients = new Map<string, AbortController>();

  when(name: string): AbortSignal {
    const client = new AbortController();
    this.#clients.set(name, client);
    return client.signal;
  }

  now(name: string): void {
    this.#clients.get(name)?.abort();
    this.#clients.delete(name);
  }
}

/** A CometChat that does as the name of the conversation says. */
function cometchat(leaving: Leaving): http.Server {
  const failed = new Set<string>();
  const reply = JSON.stringify(DOCUMENTED_REPLY);
  return http.createServer((request, response) => {
    const [, , , name = ''] = String(request.url).split('/');
    const isFailure = name.startsWith('flaky-') && !failed.delete(name);
    if (isFailure) failed.add(name);
    request.resume();
    leaving.now(name);
    if (name.startsWith('lost-')) return;
    response.writeHead(isFailure ? 503 : 200, { 'content-type': 'application/json' });
    setTimeout(() => response.end(reply), name.startsWith('slow-') ? SLOW_MS : 0);
  });
}

/** What the gateway has in memory and holds open, when its garbage is collected. */
async function look({ process: child }: Child) {
  child.kill('SIGWINCH');
  const [line] = await once(child.stderr, 'data');
  const { heapUsed, resources } = JSON.parse(String(line));
  const files = readdirSync(`/proc/${child.pid}/fd`).length;
  return { heapUsed: Number(heapUsed), open: `${resources}; ${files} files` };
}

/** At least so many of them end in each way: a load of which most is refused would show nothing. */
const LEAST: Tally = {
  200: 12_000,
  400: 2000,
  401: 7000,
  404: 64_000,
  409: 500,
  415: 1000,
  429: 5000,
  431: 1000,
  ABORT_ERR: 900,
};
const COUNTED = ['joined_writes', 'retries', 'clients_gone'];

/** Checks that all that could leave something behind has really happened, and nothing that never should. */
function isWhole(t: Test, tally: Tally, counts: Counts): void {
  for (const [result, least] of Object.entries(LEAST)) t.ok(Number(tally[result]) >= least, result);
  for (const name of COUNTED) t.ok(Number(counts[name]) >= 100, name);
  t.notOk(tally['500']);
}

t.test('memory is flat over 100,000 requests, and nothing stays open', async (t) => {
  const leaving = new Leaving();
  const server = cometchat(leaving);
  const env = {
    COMETCHAT_BASE_URL: `http://127.0.0.1:${await listening(t, server)}/v3`,
    COMETCHAT_CALLS_PER_MINUTE: '10000000',
    RATE_LIMIT_PER_MINUTE: String(PER_MINUTE),
    TRUST_PROXY: '127.0.0.0/8',
    // Without what tap counts coverage by: it would take most of the time.
    NODE_OPTIONS: '',
  };
  // Code that nobody runs any more is kept, so that it does not make room for what stays.
  const node = ['--expose-gc', '--no-flush-bytecode', '--import=./test/fixtures/memory.ts'];
  const { child, origin, metrics } = await startProcess(t, env, { node });
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const users = Array.from({ length: MANY + 1 }, (_, n) => sign({ sub: `user-${n}`, exp }));
  const tokens = await Promise.all(users);

  const { open } = await look(child);
  const used: number[] = [];
  const tally: Tally = {};
  let sent = 0;
  function* until(end: number) {
    for (; sent < end; sent += 1) yield* hundred(sent, tokens, leaving);
  }
  for (const end of LOOKS) {
    const answers = await load(origin, until(end), CONNECTIONS);
    for (const [result, times] of Object.entries(answers)) tally[result] = (tally[result] ?? 0) + times;
    const soon = performance.now() + SOON_MS;
    let now: Awaited<ReturnType<typeof look>>;
    do {
      server.closeIdleConnections();
      now = await look(child);
    } while (now.open !== open && performance.now() < soon);
    t.equal(now.open, open, 'no socket, timer or file is left');
    used.push(now.heapUsed);
  }
  const [first = 0, , last = 0] = used;
  t.ok(last - first < MORE_BYTES, `the bytes that were in use: ${used}`);
  isWhole(t, tally, await countsAt(metrics));
});
