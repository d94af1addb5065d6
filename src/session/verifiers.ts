import type { FastifyInstance } from 'fastify';
import type { Redis } from 'ioredis';
import type { VerifySession } from './claims.ts';
import { jwksSessions } from './jwks.ts';
import type { JwtRules } from './jwt.ts';
import { opaqueSessions } from './opaque.ts';
import { RemoteKeys } from './remote-keys.ts';
import { refuseRevoked } from './revocation.ts';
import { type SecretSessionConfig, secretSessions } from './secret.ts';
import { SessionStore } from './store.ts';

/** The one kind of session that this gateway takes, and what its verifier needs to know. */
export type SessionConfig =
  | ({ readonly kind: 'secret' } & SecretSessionConfig)
  | ({ readonly kind: 'jwks'; readonly url: string } & JwtRules)
  | { readonly kind: 'redis' };

export interface Sessions {
  readonly verify: VerifySession;
  /** Whether any session can be verified right now. */
  readonly canVerify: () => boolean | Promise<boolean>;
}

/**
 * Makes the verifier of the configured kind; it lives as long as the app.
 *
 * @param redis where sessions or revocations are; needed by kind `redis`
 */
export function sessionsOf(app: FastifyInstance, config: SessionConfig, redis?: Redis): Sessions {
  const store = redis && new SessionStore(redis, app.metrics);
  const revocable = (verify: VerifySession) => (store ? refuseRevoked(verify, store) : verify);
  switch (config.kind) {
    case 'redis':
      // config.ts starts no such gateway without a Redis.
      return opaque(store as SessionStore);
    case 'jwks': {
      const keys = remoteKeys(app, config.url);
      return {
        verify: revocable(jwksSessions(config, keys, app.log)),
        canVerify: () => keys.inUse !== undefined,
      };
    }
    case 'secret':
      return { verify: revocable(secretSessions(config)), canVerify: () => true };
  }
}

const opaque = (store: SessionStore): Sessions => ({
  verify: opaqueSessions(store),
  canVerify: () => store.answers(),
});

function remoteKeys(app: FastifyInstance, url: string): RemoteKeys {
  const keys = new RemoteKeys(url, app);
  // Before the first request; a provider that is down at this moment does not keep the gateway down.
  app.addHook('onReady', () => keys.refresh());
  app.addHook('onClose', async () => keys.close());
  return keys;
}
