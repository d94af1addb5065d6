import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { derived, type Rotating } from '../base/rotating.ts';

export interface LogConfig {
  readonly level: string;
  /** Values that never stand in a line, wherever they come from. */
  readonly secrets: Rotating<readonly string[]>;
}

const CENSOR = '[redacted]';

/** Fields that hold credentials, at any depth, in case an object that has one is ever logged. */
const FIELDS = ['authorization', 'cookie', 'set-cookie', 'apikey', 'apiKey', 'token', 'secret'];
const FIELD = new RegExp(`"(?:${FIELDS.join('|')})":`);

/**
 * Strikes the values of such fields out of a finished line, which is looked through for their names first: pino's own
 * redaction goes down each path in each line, which cost as much as the rest of the logging.
 */
const withoutFields = (line: string) =>
  FIELD.test(line)
    ? `${JSON.stringify(JSON.parse(line), (name, value) => (FIELDS.includes(name) ? CENSOR : value))}\n`
    : line;

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
        streamWrite: (line) => withoutFields(line).replace(credential(), CENSOR),
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
  return new RegExp([...known, JWT].join('|'), 'g');
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
