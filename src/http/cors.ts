import cors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isLoopback } from '../base/loopback.ts';
import { parseList } from '../base/parse-list.ts';

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
  if (!url) return false;
  if (url.protocol === 'https:') return url.origin === text && !text.includes('*');
  if (url.protocol === 'http:') {
    return url.origin === text && isLoopback(url.hostname);
  }
  // The web views of mobile apps, such as capacitor://localhost.
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9.-]+$/.test(text);
}

/**
 * Lets the pages of these origins call the gateway and read its replies; all others get no CORS header.
 *
 * @param credentials whether the browser may send cookies along
 */
export async function allowOrigins(
  app: FastifyInstance,
  { origins, credentials }: { origins: ReadonlySet<string>; credentials: boolean },
): Promise<void> {
  const options: FastifyCorsOptions = {
    credentials,
    methods: ['PUT'],
    allowedHeaders: ['Authorization', 'Content-Type', 'X-Requested-With'],
    exposedHeaders: ['X-Request-Id', 'Retry-After', 'RateLimit', 'RateLimit-Policy', 'WWW-Authenticate'],
    maxAge: PREFLIGHT_SECONDS,
    // Strict, the plugin would answer in plain text where it is not asked about a method.
    strictPreflight: false,
  };
  type Done = (error: null, options: FastifyCorsOptions) => void;
  await app.register(cors, {
    delegator: ({ headers: { origin = '' } }: FastifyRequest, done: Done) =>
      done(null, { ...options, origin: origins.has(origin) && origin }),
  });
}
