/** What ioredis says of a connection that is not there, in several ways and without a code. */
const DISCONNECTED = /writeable|closed|aborted|retries per request|isn't ready|redirections/i;

/** @returns what the log calls an error: a code or a name, and nothing that the error quotes */
export function errorType(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  // A DOMException has a number that nobody knows.
  const isNamed = 'code' in error && error.code !== undefined && !(error instanceof DOMException);
  if (isNamed) return String(error.code);
  if (error.message.includes('ACL failure in script')) return 'NOPERM';
  // Redis' own errors begin with a code: WRONGPASS, READONLY.
  const [code] = /^[A-Z]{2,}(?= )/.exec(error.message) ?? [];
  if (code !== undefined) return code;
  if (/time(?:d )?out/i.test(error.message)) return 'timeout';
  return DISCONNECTED.test(error.message) ? 'disconnected' : error.name;
}
