import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopback } from '../base/loopback.ts';
import { itemsOf, parseList } from '../base/parse-list.ts';

/** How long a browser may remember a preflight, in seconds: Chromium's longest. */
const PREFLIGHT_SECONDS = 7200;

/**
 * Reads a comma-separated list of origins, each as a browser sends it.
 *
 * @throws Error whose message says which one is wrong
 */
export function parseOrigins(text: string): ReadonlySet<string> {
  const must =
    'hold exact origins such as https://app.example (no wildcard, path or slash at the end; http:// for loopback alone)';
  return new Set(parseList(text, isOrigin, must));
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (!url || text.includes('*')) return false;
  if (url.protocol === 'https:') return url.origin === text;
  if (url.protocol === 'http:') {
    return url.origin === text && (isLoopback(url.hostname) || url.hostname.endsWith('.localhost'));
  }
  // The web views of mobile apps, such as capacitor://localhost.
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+$/.test(text);
}

/** What browsers' tracing and monitoring adds to calls. The gateway reads the first two. */
const TRACE_HEADERS = [
  'traceparent',
  'tracestate',
  'baggage',
  'sentry-trace',
  'b3',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'x-datadog-trace-id',
  'x-datadog-parent-id',
  'x-datadog-origin',
  'x-datadog-sampling-priority',
  'x-datadog-tags',
  'newrelic',
  'elastic-apm-traceparent',
  'request-id',
  'request-context',
];
const REQUEST_HEADERS = ['authorization', 'content-type', 'x-requested-with', ...TRACE_HEADERS];
const REPLY_HEADERS = [
  'Allow',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'WWW-Authenticate',
  'X-Request-Id',
];

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * The header fields that let a page read a reply that no hook sees.
     *
     * @param origin of the page, where it is known
     */
    crossOriginHeaders(origin: string | undefined): Readonly<Record<string, string>>;
  }
  interface FastifyRequest {
    /** Why the browser will not send the request that it asks for here. */
    refusedPreflight: RefusedPreflight | null;
  }
}

/** For the log: what a browser asked for in vain. */
export interface RefusedPreflight {
  readonly reason: 'origin_not_allowed' | 'method_not_allowed' | 'header_not_allowed';
  readonly origin: string;
  /** The method, or the first of the headers. */
  readonly asked?: string;
  /** What to do where it should be allowed. */
  readonly hint?: string;
}

const ALLOW_ORIGIN = 'to let its pages call the gateway, add the origin to CORS_ORIGINS and restart';

/** Of what a page can make up. */
const MAX_LOGGED_LENGTH = 100;

interface CorsConfig {
  readonly origins: ReadonlySet<string>;
  /** Whether the browser may send cookies along. */
  readonly credentials: boolean;
}

/** Lets the pages of these origins call the gateway and read its replies; all others get no CORS header. */
export async function allowOrigins(app: FastifyInstance, config: CorsConfig): Promise<void> {
  const { origins, credentials } = config;
  app.decorate('crossOriginHeaders', (origin) => crossOriginHeaders(config, origin));
  app.decorateRequest('refusedPreflight', null);
  const methods = methodsOf(app);
  app.addHook('onRequest', (request, _reply, done) => {
    request.refusedPreflight = refusedPreflight(request, origins, methods);
    done();
  });
  if (origins.size === 0) return;
  const options: FastifyCorsOptions = {
    credentials,
    allowedHeaders: REQUEST_HEADERS,
    exposedHeaders: REPLY_HEADERS,
    maxAge: PREFLIGHT_SECONDS,
    // Strict, the plugin would answer in plain text where it is not asked about a method.
    strictPreflight: false,
  };
  type Done = (error: null, options: FastifyCorsOptions) => void;
  await app.register(cors, {
    delegator: ({ headers: { origin = '' } }: FastifyRequest, done: Done) =>
      done(null, { ...options, methods: [...methods], origin: origins.has(origin) && origin }),
  });
}

/** The methods of the routes that are registered from now on. Browsers ask for no HEAD, and OPTIONS is how they ask. */
function methodsOf(app: FastifyInstance): ReadonlySet<string> {
  const methods = new Set<string>();
  app.addHook('onRoute', ({ method }) => {
    for (const one of [method].flat()) if (one !== 'HEAD' && one !== 'OPTIONS') methods.add(one);
  });
  return methods;
}

function crossOriginHeaders({ origins, credentials }: CorsConfig, origin: string | undefined) {
  if (origins.size === 0 || (origin !== undefined && !origins.has(origin))) return {};
  // Where the origin could not be read, the only one is it. Of several nobody knows; any page may read that error then.
  const allowed = origin ?? (origins.size === 1 ? [...origins].join() : '*');
  return {
    'access-control-allow-origin': allowed,
    'access-control-expose-headers': REPLY_HEADERS.join(', '),
    ...(credentials && allowed !== '*' && { 'access-control-allow-credentials': 'true' }),
    vary: 'Origin',
  };
}

function refusedPreflight(
  { method, headers }: FastifyRequest,
  origins: ReadonlySet<string>,
  methods: ReadonlySet<string>,
): RefusedPreflight | null {
  const { origin, 'access-control-request-method': askedMethod } = headers;
  if (method !== 'OPTIONS' || origin === undefined || askedMethod === undefined) return null;
  const askedHeader = itemsOf((headers['access-control-request-headers'] ?? '').toLowerCase()).find(
    (name) => name !== '' && !REQUEST_HEADERS.includes(name),
  );
  const refused = (reason: RefusedPreflight['reason'], asked?: string): RefusedPreflight => ({
    reason,
    origin: origin.slice(0, MAX_LOGGED_LENGTH),
    ...(asked !== undefined && { asked: asked.slice(0, MAX_LOGGED_LENGTH) }),
  });
  if (!origins.has(origin)) return { ...refused('origin_not_allowed'), hint: ALLOW_ORIGIN };
  if (!methods.has(askedMethod)) return refused('method_not_allowed', askedMethod);
  return askedHeader === undefined ? null : refused('header_not_allowed', askedHeader);
}
