import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { derived, type Rotating } from './rotating.ts';

export interface LogConfig {
  readonly level: string;
  /** Values that never stand in a line, wherever they come from. */
  readonly secrets: Rotating<readonly string[]>;
}

const CENSOR = '[redacted]';

/**
 * A field that holds a credential, at any depth, in case an object that has one is ever logged; of its value, whatever
 * is no object in an object. It is found in the finished line: pino's own redaction looks for every path in every line,
 * which cost as much as the rest of the logging.
 */
const TEXT = String.raw`"(?:[^"\\]|\\.)*"`;
const FIELD = String.raw`("(?:authorization|cookie|set-cookie|apikey|apiKey|token|secret)":)(?:${TEXT}|\[(?:${TEXT}|[^"\]])*\]|\{(?:${TEXT}|[^"{}])*\})`;

/** Begins where a word begins: else a long line of `eyJeyJ...` is looked through once for each of them. */
const JWT = '(?<![\\w-])eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]*';

/** A shorter secret is more likely to be found in words than to be found out. */
const MIN_KNOWN_LENGTH = 8;

/**
 * Makes the logger: one JSON object a line, in which credentials are struck out twice: by the name of their field, and
 * by their value.
 *
 * @param destination stdout unless given
 */
export function createLog({ level, secrets }: LogConfig, destination?: DestinationStream): Logger {
  const credential = derived(secrets, credentialPattern);
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
      hooks: {
        streamWrite: (line) =>
          line.replace(credential(), (_found, field?: string) => (field ? `${field}"${CENSOR}"` : CENSOR)),
      },
    },
    // Written before the next line of code runs, so that nothing is lost when the process ends.
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}

function credentialPattern(secrets: readonly string[]): RegExp {
  // As they look in a JSON string; longest first, where one is the beginning of another.
  const known = secrets
    .filter(({ length }) => length >= MIN_KNOWN_LENGTH)
    .map((secret) => RegExp.escape(JSON.stringify(secret).slice(1, -1)))
    .sort((a, b) => b.length - a.length);
  return new RegExp([FIELD, ...known, JWT].join('|'), 'g');
}

/** What ioredis says of a connection that is not there, in several ways and without a code. */
const DISCONNECTED = /writeable|closed|aborted|retries per request/i;

/** @returns what an error is called in the log: a code or a name, and nothing of what it quotes */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if ('code' in error && error.code !== undefined) return String(error.code);
  // Redis' own errors begin with a code: WRONGPASS, READONLY.
  const [code] = /^[A-Z]{2,}(?= )/.exec(error.message) ?? [];
  if (code !== undefined) return code;
  if (/time(?:d )?out/i.test(error.message)) return 'timeout';
  return DISCONNECTED.test(error.message) ? 'disconnected' : error.name;
}

/** An error without its other properties: they hold requests with their headers, or a Buffer. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? String(error.code) : undefined;
  return { type: name, message, code, stack, ...(cause !== undefined && { cause: serializeError(cause) }) };
}
