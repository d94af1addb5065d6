import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { type FastifyHttpOptions, type FastifyInstance, fastify, type RawServerDefault } from 'fastify';
import type { Test } from 'tap';
import type { SandboxOptions } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/server.ts';
import { gateway, serverOptions } from '../../src/app.ts';
import type { Seams } from '../../src/base/services.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLog } from '../../src/operations/log.ts';
import { type Answer, fetchAnswer } from './answers.ts';
import { environment, type Variables } from './environment.ts';
import { checksOf, type LogLine } from './meets.ts';
import { counted, countsOf } from './metrics.ts';
import { startSandbox } from './sandbox.ts';
import { assertNoLeak } from './secrets.ts';
import { bearer, OTHER } from './tokens.ts';

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
  const sandbox =
    options.sandbox instanceof Sandbox ? options.sandbox : await startSandbox(t, options.sandbox);
  // At level info, the sixth refusal of a kind would have no line.
  const generous = { RATE_LIMIT_PER_MINUTE: '1000000', LOG_LEVEL: 'debug' };
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
  /** Makes a function that writes; `body` as JSON unless it is text, with a good session unless `headers` says else. */
  const writing =
    (method: 'PUT' | 'PATCH') =>
    async (body: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
      request(`${origin}/me/conversations/tags`, {
        method,
        headers: {
          'content-type': 'application/json',
          ...(headers.authorization === undefined && (await bearer())),
          ...headers,
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
  const put = writing('PUT');
  /** Makes a function that reads an address; a query of text goes out as it is. The session is as in `put`. */
  const reading =
    (path: string) =>
    async (query: string | Record<string, string> = {}, headers: Record<string, string> = {}) => {
      const text = typeof query === 'string' ? query : String(new URLSearchParams(query));
      const session = headers.authorization === undefined && (await bearer());
      return request(`${origin}${path}${text && `?${text}`}`, { headers: { ...session, ...headers } });
    };
  const setTags = () => put({ tags: ['vip'], conversationWith: OTHER });
  /** The lines about requests but probes, parsed. */
  const requests = (): LogLine[] =>
    lines
      .map((line) => JSON.parse(line))
      .filter(({ msg, level, route }) => /request$/.test(msg) && !(level === 'debug' && /z$/.test(route)));
  const counts = () => countsOf(server.metrics);

  return {
    app: server,
    sandbox,
    origin,
    port,
    lines,
    requests,
    counts,
    put,
    patch: writing('PATCH'),
    getTags: reading('/me/conversations/tags'),
    list: reading('/me/conversations'),
    setTags,
    ...checksOf({ sandbox, lines, requests, counts, setTags }),
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
    /** Waits until a metric has counted so much. */
    counted: (name: string, count = 1): Promise<void> => counted(server.metrics, name, count),
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
