import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import { derived, type Rotating } from '../base/rotating.ts';

export interface LogConfig {
  readonly level: string;
  /** Values that no line may hold, wherever they come from. */
  readonly secrets: Rotating<readonly string[]>;
}

const CENSOR = '[redacted]';

/** Begins where a word begins: else a long line of `eyJeyJ...` is looked through once for each of them. */
const JWT = '(?<![\\w-])eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]*';

/** A shorter secret would be struck out of ordinary words. */
const MIN_KNOWN_LENGTH = 8;

/** Makes the logger: one JSON object a line, in which secrets and JWTs are struck out by their value. */
export function createLog({ level, secrets }: LogConfig, destination: DestinationStream): Logger {
  const credential = derived(secrets, credentialPattern);
  return pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
      hooks: { streamWrite: (line) => line.replace(credential(), CENSOR) },
    },
    destination,
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

/** An error without its other properties: they hold requests with their headers, or a Buffer. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return String(error);
  const { name, message, stack, cause } = error;
  const code = 'code' in error ? String(error.code) : undefined;
  return { type: name, message, code, stack, ...(cause !== undefined && { cause: serializeError(cause) }) };
}
