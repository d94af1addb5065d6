import { spawnSync } from 'node:child_process';
import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { text } from 'node:stream/consumers';
import { type FastifyHttpOptions, type FastifyInstance, fastify, type RawServerDefault } from 'fastify';
import type { Redis } from 'ioredis';
import { type CryptoKey, type JWTHeaderParameters, SignJWT } from 'jose';
import type { Test } from 'tap';
import type { SandboxOptions } from '../sandbox/options.ts';
import { Sandbox } from '../sandbox/server.ts';
import { gateway, serverOptions } from '../src/app.ts';
import { type CometChatId, cometChatId } from '../src/base/caller.ts';
import type { Problem } from '../src/base/problem-error.ts';
import { MACHINE, type Seams, type Services } from '../src/base/services.ts';
import { loadConfig } from '../src/config/config.ts';
import { ConfigError } from '../src/config/environment.ts';
import { createLog } from '../src/operations/log.ts';
import { PrometheusMetrics } from '../src/operations/prometheus.ts';

/** The secrets of every test: long, odd, and searched for in what leaves the gateway. */
export const API_KEY = `key-${randomBytes(16).toString('hex')}`;
export const SECRET = `secret-"quoted"-${randomBytes(16).toString('hex')}`;
export const ISSUER = 'https://issuer.example';
export const AUDIENCE = 'cometchat-gateway';
/** The signed-in user, and the one whom the conversation is with. */
export const ME = 'cometchat-uid-4';
export const OTHER = 'cometchat-uid-3';

/** What must never stand in a log line or in a reply: the keys, and what a test adds. */
export const planted = new Set([API_KEY, SECRET, JSON.stringify(SECRET).slice(1, -1)]);
/** The signature of every token that was signed here. */
const signatures = new Set<string>();

/** How many of the secrets stand in a text. */
function leaks(text: string): number {
  const known = [...planted].filter((secret) => text.includes(secret));
  // By the thousand, so that the text is looked through once.
  const signed = [...text.matchAll(/[\w-]{32,}/g)].filter(([word]) => signatures.has(word));
  return known.length + signed.length;
}

/** Fails the test that is being torn down if a secret stands in what left the gateway, whatever it is about. */
export function assertNoLeak(...texts: readonly string[]): void {
  const found = leaks(texts.join('\n'));
  if (found > 0) throw new Error(`${found} secret(s) in what was logged, counted or answered`);
}

/** Whether a test that needs this program of the machine is left out, and why; where `CI` is set, none is. */
export function unlessInstalled(program: string): { skip: string | false } {
  const found = process.env.CI || !spawnSync(program, ['--version']).error;
  return { skip: !found && `${program} is not installed` };
}

/** A whole environment, good to start with against a CometChat at this address. */
export const environment = (baseUrl: string): Record<string, string> => ({
  COMETCHAT_BASE_URL: baseUrl,
  COMETCHAT_API_KEY: API_KEY,
  SESSION_SECRET: SECRET,
  SESSION_ISSUER: ISSUER,
  SESSION_AUDIENCE: AUDIENCE,
  HOST: '127.0.0.1',
  PORT: '0',
  ADMIN_PORT: '0',
  SHUTDOWN_DRAIN_MS: '0',
});

/** The services of a room without an app: a log that nobody reads, and metrics that can be read. */
export const services = (redis?: Redis, seams: Partial<Seams> = {}) =>
  ({
    log: { debug() {}, info() {}, warn() {}, error() {} },
    metrics: new PrometheusMetrics(),
    redis,
    seams: { ...MACHINE, ...seams },
  }) satisfies Services;

/** A legal id of CometChat's. */
export function cometChatIdOf(text: string): CometChatId {
  const id = cometChatId(text);
  if (id === undefined) throw new Error(`${text} is no legal id`);
  return id;
}

/** The value of a counter or gauge; its name is without the prefix that all have in common. */
export async function metricOf(
  { registry }: PrometheusMetrics,
  name: string,
  labels: Record<string, string> = {},
): Promise<number | undefined> {
  const metric = registry.getSingleMetric(`cometchat_gateway_${name}`);
  const { values = [] } = (await metric?.get()) ?? {};
  const isMeant = (one: { labels: object }) =>
    Object.entries(labels).every(([label, value]) => one.labels[label as keyof object] === value);
  return values.find(isMeant)?.value;
}

/** The faults that the configuration finds in an environment. */
export function faultsOf(env: Record<string, string | undefined>): readonly string[] {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

/** Remembers a token as one that must never stand in a log line or in a reply. */
export function plantToken(token: string): string {
  signatures.add(token.slice(token.lastIndexOf('.') + 1));
  return token;
}

/** Signs a token, good for a minute, with the session secret; a claim or header of `undefined` is left out. */
export const sign = (
  claims: Record<string, unknown> = {},
  { secret = SECRET, header = {} }: { secret?: string; header?: Partial<JWTHeaderParameters> } = {},
): Promise<string> => signWith(createSecretKey(Buffer.from(secret)), { alg: 'HS256', ...header }, claims);

/** The same with any key. */
export async function signWith(
  key: CryptoKey | KeyObject,
  header: JWTHeaderParameters,
  claims: Record<string, unknown>,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const all = { sub: ME, iss: ISSUER, aud: AUDIENCE, iat: now, exp: now + 60, ...claims };
  return plantToken(await new SignJWT(JSON.parse(JSON.stringify(all))).setProtectedHeader(header).sign(key));
}

/** The call as bytes, with these header fields beside Host and the body's length. */
export const callBytes = (...fields: readonly string[]): string =>
  [
    'PUT /me/conversations/tags HTTP/1.1',
    'Host: gateway',
    ...fields,
    'Content-Length: 11',
    '',
    '{"tags":[]}',
  ].join('\r\n');

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the gateway answered
  readonly json: any;
}

export interface LogLine extends Record<string, unknown> {
  readonly level: string;
  readonly msg: string;
}

/**
 * Starts a sandbox and a gateway on free ports, for the length of a test.
 *
 * @param overrides variables of the environment; `undefined` unsets one
 * @param extend adds to the app before it listens
 * @param server goes before the server's own options
 * @param seams what to put in the place of the machine's. Unless given, retries come at once, and limits and quota see one
 *   moment for the whole test, so that no minute turns in it
 * @param sandbox its options
 */
export async function build(
  t: Test,
  overrides: Record<string, string | undefined> = {},
  {
    extend,
    server,
    seams,
    sandbox: options,
  }: {
    extend?: (app: FastifyInstance) => void;
    server?: FastifyHttpOptions<RawServerDefault>;
    seams?: Partial<Seams>;
    sandbox?: Partial<SandboxOptions>;
  } = {},
) {
  const sandbox = await Sandbox.start({ apiKey: API_KEY, ...options });
  t.teardown(() => sandbox.close());
  const generous = { RATE_LIMIT_PER_MINUTE: '1000000' };
  const config = loadConfig({ ...environment(sandbox.baseUrl), ...generous, ...overrides });
  const lines: string[] = [];
  const app = fastify({
    ...serverOptions(createLog(config.log, { write: (line) => lines.push(line) }), config.trustedProxies),
    ...server,
  });
  const start = Date.now();
  await app.register(gateway, { ...config, seams: { random: () => 0.01, now: () => start, ...seams } });
  extend?.(app);
  const origin = await app.listen(config.listen);
  const answers: string[] = [];
  t.teardown(async () => {
    await app.close();
    assertNoLeak(...lines, ...answers, await app.metrics.registry.metrics());
  });
  const port = Number(new URL(origin).port);
  const request = async (url: string, init?: RequestInit): Promise<Answer> => {
    const answer = await fetchAnswer(url, init);
    answers.push(JSON.stringify([...answer.headers]), answer.text);
    return answer;
  };

  return {
    app,
    sandbox,
    origin,
    lines,
    port,
    /** The lines about requests, parsed. */
    requests: (): LogLine[] =>
      lines.map((line) => JSON.parse(line)).filter(({ msg }) => /request$/.test(String(msg))),
    /** Makes the call; `body` as JSON unless it is text, with a good session unless `headers` says else. */
    async put(body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
      const authorization = headers.authorization ?? `Bearer ${await sign()}`;
      return request(`${origin}/me/conversations/tags`, {
        method: 'PUT',
        headers: { 'content-type': 'application/json', ...headers, authorization },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
    },
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
  };
}

async function fetchAnswer(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  return answerOf(response.status, response.headers, await response.text());
}

/** Reads the last of the replies that came back as bytes. */
export function parseAnswer(bytes: string): Answer {
  const reply = bytes.split(/(?=HTTP\/1\.1 \d{3} )/).at(-1) ?? '';
  const [head = '', body = ''] = reply.split('\r\n\r\n');
  const [statusLine = '', ...fields] = head.split('\r\n');
  const headers = fields.map((field): [string, string] => [
    field.slice(0, field.indexOf(':')),
    field.slice(field.indexOf(':') + 1),
  ]);
  return answerOf(Number(statusLine.split(' ')[1]), new Headers(headers), body);
}

const answerOf = (status: number, headers: Headers, body: string): Answer => ({
  status,
  headers,
  text: body,
  json: body === '' ? undefined : JSON.parse(body),
});

/** Checks that an answer is the problem of this code, whole and in form. */
export function isProblem(t: Test, answer: Answer, status: number, code: Problem['code']): void {
  t.equal(answer.status, status);
  t.equal(answer.headers.get('content-type'), 'application/problem+json');
  t.match(answer.json, {
    type: `urn:cometchat-gateway:problem:${code}`,
    title: /\w/,
    status,
    code,
    requestId: answer.headers.get('x-request-id'),
  });
}

/** Checks that nothing in a text is one of the secrets that the gateway holds or was shown. */
export function holdsNoSecret(t: Test, text: string): void {
  t.equal(leaks(text), 0, 'no secret in it');
}
