import { prettyFactory } from 'pino-pretty';
import { parseOrigins } from '../../src/http/cors.ts';
import { fold } from './screen.ts';

const pretty = prettyFactory({
  singleLine: true,
  errorLikeObjectKeys: ['err'],
  colorize: process.stdout.isTTY,
});

/** A line of the gateway's log for people: lines that fit the screen, and what to do about a page that is refused. */
export function readable(line: string): string[] {
  const { reason, origin } = JSON.parse(line);
  return fold(reason === 'origin_not_allowed' ? refusedPage(origin) : pretty(line).trimEnd());
}

function refusedPage(origin: string): string {
  const refused = `A page of ${origin} may not call the gateway`;
  try {
    parseOrigins(origin);
    return `${refused}: start with --cors ${origin}`;
  } catch {
    return `${refused}, and --cors cannot allow it: serve the page from http://localhost`;
  }
}
