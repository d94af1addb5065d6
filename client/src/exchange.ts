import type { Problem } from './api.ts';
import { GatewayError } from './errors.ts';

export interface Call<T> {
  readonly method: 'GET' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
  /** A write waits for those before it in the same lane. */
  readonly lane?: string;
  /** Reads the body of a reply; undefined where it has another form. */
  readonly read: (body: unknown) => T | undefined;
}

/** Sends a request once. */
export async function exchange<T>(
  fetch: typeof globalThis.fetch,
  url: string,
  { method, body, read }: Call<T>,
  token: string | undefined,
  signal: AbortSignal,
): Promise<{ value: T } | GatewayError> {
  const headers: Record<string, string> =
    token === undefined ? { 'x-requested-with': 'fetch' } : { authorization: `Bearer ${token}` };
  if (body !== undefined) headers['content-type'] = 'application/json';
  const init: RequestInit = {
    method,
    headers,
    // A token beside a session cookie would be refused.
    credentials: token === undefined ? 'include' : 'omit',
    // The token must not follow a redirect to another server.
    redirect: 'error',
    signal,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  };
  try {
    const response = await fetch(url, init);
    return outcomeOf(response, await response.text(), read);
  } catch (cause) {
    return new GatewayError('unreachable', 'The gateway could not be reached', { cause });
  }
}

function outcomeOf<T>(
  { ok, status, headers }: Response,
  text: string,
  read: Call<T>['read'],
): { value: T } | GatewayError {
  const body = parse(text);
  const value = ok ? read(body) : undefined;
  if (value !== undefined) return { value };
  const problem = isProblem(body) ? body : undefined;
  const message = problem ? `${problem.title} (${problem.code})` : `An unknown reply with status ${status}`;
  return new GatewayError(problem?.code ?? 'unknown-reply', message, {
    status,
    problem,
    retryAfterSeconds: secondsOf(headers.get('retry-after')),
    requestId: problem?.requestId ?? headers.get('x-request-id') ?? undefined,
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A load balancer may answer with JSON, too. */
const isProblem = (body: unknown): body is Problem => {
  const { type, code } = (body ?? {}) as Partial<Problem>;
  return /^urn:cometchat-gateway:problem:/.test(type ?? '') && typeof code === 'string';
};

/** The date that some load balancers send. */
const DATE = /^[A-Z][a-z]{2}, .*GMT$/;

/** Reads Retry-After; anything but whole seconds and a date is as no header. */
function secondsOf(retryAfter: string | null): number | undefined {
  const text = retryAfter ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  const at = DATE.test(text) && Date.parse(text);
  return at ? Math.max(Math.ceil((at - Date.now()) / 1000), 0) : undefined;
}
