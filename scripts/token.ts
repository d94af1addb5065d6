// npm run --silent token -- <sub>: prints a session token for that user, signed with SESSION_SECRET.
import { Type } from '@sinclair/typebox';
import { itemsOf } from '../src/base/parse-list.ts';
import { ConfigError, readVariables } from '../src/config/environment.ts';
import { EnvironmentSchema } from '../src/config/variables.ts';
import { parseSecrets } from '../src/session/secret.ts';
import { signSession } from './sign-session.ts';

const [sub, ...others] = process.argv.slice(2);
if (!sub || others.length > 0) {
  process.stderr.write('usage: npm run --silent token -- <sub>\n');
  process.exit(64);
}

const TokenEnvironment = Type.Required(
  Type.Pick(EnvironmentSchema, [
    'SESSION_SECRET',
    'SESSION_ISSUER',
    'SESSION_AUDIENCE',
    'SESSION_AUDIENCE_CLAIM',
  ]),
);
/** The gateway takes a token of any of several. */
const first = (list: string): string => String(itemsOf(list)[0]);

const faults: string[] = [];
const env = readVariables(TokenEnvironment, process.env, faults);
try {
  if (faults.length > 0) throw new ConfigError(faults);
  const session = {
    secrets: parseSecrets(env.SESSION_SECRET),
    issuer: first(env.SESSION_ISSUER),
    audience: first(env.SESSION_AUDIENCE),
  };
  const token = await signSession(session, { [env.SESSION_AUDIENCE_CLAIM]: session.audience, sub });
  process.stdout.write(`${token}\n`);
} catch (error) {
  const prefix = error instanceof ConfigError ? '' : 'SESSION_SECRET: ';
  process.stderr.write(`${prefix}${(error as Error).message}\n`);
  process.exit(78);
}
