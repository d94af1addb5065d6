import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { type FastifyHttpOptions, type FastifyInstance, fastify, type RawServerDefault } from 'fastify';
import type { Test } from 'tap';
import type { SandboxOptions } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/server.ts';
import { gateway, serverOptions } from '../../src/app.ts';
import type { ProblemCode } from '../../src/base/problems.ts';
import type { Seams } from '../../src/base/services.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLog } from '../../src/operations/log.ts';
import type { Reason } from '../../src/session/reasons.ts';
import { type Answer, fetchAnswer, isProblem, parseAnswer } from './answers.ts';
import { environment, type Variables } from './environment.ts';
import { type Counts, countsOf, movedSince } from './metrics.ts';
import { API_KEY, assertNoLeak } from './secrets.ts';
import { bearer, OTHER } from './tokens.ts';

export interface LogLine extends Record<string, unknown> {
  readonly level: string;
  readonly msg: string;
}

/** What a request is looked at for. */
export interface Expected {
  /** 200, or the problem that the client gets. */
  readonly answer: 200 | readonly [status: number, code: ProblemCode];
  /** Seconds; no header where it is left out. */
  readonly retryAfter?: number;
  /** How many calls reached CometChat. */
  readonly calls: number;
  /** The fields of the one line in the log. */
  readonly line: Record<string, unknown>;
  /** Every metric that moved, and by how much. */
  readonly moved: Counts;
}

/** What is special of a refusal. */
interface Refusal extends Partial<Pick<Expected, 'line' | 'moved' | 'retryAfter'>> {
  /** Why the session was refused. */
  readonly reason?: Reason | undefined;
}

/** Makes a request; `string` are the bytes that came back. */
type Sending = () => Promise<Answer | string>;

export interface GatewayOptions {
  /** Adds to the app before it listens. */
  readonly extend?: (app: FastifyInstance) => void;
  /** Goes before the server's own options. */
  readonly server?: FastifyHttpOptions<RawServerDefault>;
  /**
   * What to put in the place of the machine's. Unless given, retries come at once, and limits and quota see one moment for the
   * whole test, so that no minute turns in it.
   */
  readonly seams?: Partial<Seams>;
  /** One that is there already, or the options of its own. */
  readonly sandbox?: Sandbox | Partial<SandboxOptions>;
}

export type Gateway = Awaited<ReturnType<typeof startGateway>>;

/** Starts a sandbox and a gateway on free ports, for the length of a test. */
export async function startGateway(t: Test, env: Variables = {}, options: GatewayOptions = {}) {
  const sandbox = options.sandbox instanceof Sandbox ? options.sandbox : await start(t, options.sandbox);
  const generous = { RATE_LIMIT_PER_MINUTE: '1000000' };
  const config = loadConfig({ ...environment(sandbox.baseUrl), ...generous, ...env });
  const lines: string[] = [];
  const server = fastify({
    ...serverOptions(createLog(config.log, { write: (line) => lines.push(line) }), config.trustedProxies),
    ...options.server,
  });
  const now = Date.now();
  await server.register(gateway, {
    ...config,
    seams: { random: () => 0.01, now: () => now, ...options.seams },
  });
  options.extend?.(server);
  const origin = await server.listen(config.listen);
  const port = Number(new URL(origin).port);
  const answers: string[] = [];
  t.teardown(async () => {
    await server.close();
    assertNoLeak(...lines, ...answers, await server.metrics.registry.metrics());
  });

  const request = async (url: string, init?: RequestInit): Promise<Answer> => {
    const answer = await fetchAnswer(url, init);
    answers.push(JSON.stringify([...answer.headers]), answer.text);
    return answer;
  };
  /** Makes the call; `body` as JSON unless it is text, with a good session unless `headers` says else. */
  const put = async (body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    request(`${origin}/me/conversations/tags`, {
      method: 'PUT',
      headers: {
        'content-type': 'application/json',
        ...(headers.authorization === undefined && (await bearer())),
        ...headers,
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const setTags = () => put({ tags: ['vip'], conversationWith: OTHER });
  /** The lines about requests, parsed. */
  const requests = (): LogLine[] =>
    lines.map((line) => JSON.parse(line)).filter(({ msg }) => /request$/.test(String(msg)));
  const counts = () => countsOf(server.metrics);

  /** Makes a request, and looks at it in four ways: the answer, CometChat, the log, the metrics. */
  const meets = async (t: Test, expected: Expected, send: Sending = setTags): Promise<Answer> => {
    const before = { calls: sandbox.received, counts: await counts() };
    const reply = await send();
    const answer = typeof reply === 'string' ? parseAnswer(reply) : reply;
    if (expected.answer === 200) t.equal(answer.status, 200);
    else isProblem(t, answer, ...expected.answer);
    t.equal(answer.headers.get('retry-after'), expected.retryAfter?.toString() ?? null, 'Retry-After');
    t.equal(sandbox.received - before.calls, expected.calls, 'calls that reached CometChat');
    const id = answer.headers.get('x-request-id');
    const found = requests().filter(({ requestId }) => requestId === id);
    t.match(found, [expected.line], 'the line in the log');
    t.equal(found.length, 1, 'and no other');
    t.strictSame(movedSince(before.counts, await counts()), expected.moved, 'the metrics that moved');
    t.notMatch([answer.text, ...lines].join(), /private/, 'nothing of what CometChat says of others');
    return answer;
  };

  return {
    app: server,
    sandbox,
    origin,
    port,
    lines,
    requests,
    counts,
    put,
    setTags,
    /** The same as another user. */
    putAs: async (user: string) =>
      put({ tags: ['vip'], conversationWith: OTHER }, await bearer({ sub: user })),
    get: (path: string, init: RequestInit = {}): Promise<Answer> => request(origin + path, init),
    /** Sends bytes on a socket of their own, and gives all that comes back until it is closed. */
    async raw(bytes: string | Buffer): Promise<string> {
      const socket = net.connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(bytes);
      const answer = await text(socket);
      answers.push(answer);
      return answer;
    },
    meets,
    /** The same for a request that the gateway refuses by itself; what is left out of `more` is as for most of them. */
    refused: (
      t: Test,
      send: Sending,
      status: number,
      code: ProblemCode,
      { reason, line, moved, retryAfter }: Refusal = {},
    ) =>
      meets(
        t,
        {
          answer: [status, code],
          ...(retryAfter !== undefined && { retryAfter }),
          calls: 0,
          line: {
            level: status >= 500 ? 'warn' : 'info',
            status,
            problem: code,
            error: { type: code },
            reason,
            err: undefined,
            ...line,
          },
          moved: {
            [`problems ${code}`]: 1,
            ...(reason && { [`sessions_refused ${reason}`]: 1 }),
            ...moved,
          },
        },
        send,
      ),
    /** The same for one that is served, by one call. */
    served: (t: Test, send: Sending = setTags) =>
      meets(
        t,
        { answer: 200, calls: 1, line: { level: 'info', status: 200 }, moved: { 'attempts ok': 1 } },
        send,
      ),
    /** Waits until a metric has counted so much. */
    async counted(name: string, count = 1): Promise<void> {
      while (((await counts())[name] ?? 0) < count) await wait(1);
    },
    /** Makes a request, and waits until CometChat has its call. */
    async underWay<T>(send: () => Promise<T>): Promise<{ answer: Promise<T> }> {
      const arrived = sandbox.nextCall();
      const answer = send();
      await arrived;
      return { answer };
    },
    /** Opens a connection. @returns the client's side of it, and the server's */
    async connect(): Promise<{ client: net.Socket; server: net.Socket }> {
      const accepted = once(server.server, 'connection');
      const client = net.connect(port, '127.0.0.1');
      const [[socket]] = await Promise.all([accepted, once(client, 'connect')]);
      return { client, server: socket };
    },
  };
}

async function start(t: Test, options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const sandbox = await Sandbox.start({ apiKey: API_KEY, ...options });
  t.teardown(() => sandbox.close());
  return sandbox;
}
