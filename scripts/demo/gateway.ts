import { randomBytes } from 'node:crypto';
import { fastify } from 'fastify';
import type { Sandbox } from '../../sandbox/server.ts';
import { gateway, serverOptions } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { createLog } from '../../src/operations/log.ts';
import { signSession } from '../sign-session.ts';

const TWO_HOURS_MS = 2 * 3_600_000;

interface GatewayParts {
  /** CometChat's stand-in, and the API key that it takes. */
  readonly sandbox: Sandbox;
  readonly apiKey: string;
  /** Whose pages may call, beside the sandbox's own. */
  readonly origins?: readonly string[];
  /** Takes the lines of the log. */
  readonly write: (line: string) => void;
}

/** Makes a gateway before a sandbox. The secret that signs its sessions is made for it and gone with it. */
export async function demoGateway({ sandbox, apiKey, origins = [], write }: GatewayParts) {
  const secret = randomBytes(32).toString('hex');
  const rules = { issuer: 'https://app.example', audience: 'cometchat-gateway' };
  const config = loadConfig({
    COMETCHAT_BASE_URL: sandbox.baseUrl,
    COMETCHAT_API_KEY: apiKey,
    SESSION_SECRET: secret,
    SESSION_ISSUER: rules.issuer,
    SESSION_AUDIENCE: rules.audience,
    CORS_ORIGINS: [sandbox.origin, ...origins].join(),
  });
  const app = fastify(serverOptions(createLog(config.log, { write }), config.trustedProxies));
  await app.register(gateway, config);
  return {
    /** Does not listen yet. */
    app,
    /** @returns a session token, as the user's app has it after its sign-in, or one that has expired an hour ago */
    signIn(user: string, expired = false): Promise<string> {
      const issuedAt = new Date(Date.now() - (expired ? TWO_HOURS_MS : 0));
      return signSession({ secrets: [secret], ...rules }, { sub: user }, issuedAt);
    },
  };
}
