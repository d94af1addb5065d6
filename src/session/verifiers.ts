import type { Services } from '../base/services.ts';
import type { VerifySession } from './claims.ts';
import { jwksSessions } from './jwks.ts';
import type { JwtRules } from './jwt.ts';
import { opaqueSessions } from './opaque.ts';
import { RemoteKeys } from './remote-keys.ts';
import { revocations } from './revocation.ts';
import { type SecretSessionConfig, secretSessions } from './secret.ts';
import { SessionStore } from './store.ts';

/** The one kind of session that this gateway accepts, and what its verifier needs to know. */
export type SessionConfig =
  | ({ readonly kind: 'secret' } & SecretSessionConfig)
  | ({ readonly kind: 'jwks'; readonly url: string } & JwtRules)
  | { readonly kind: 'redis' };

export interface Verifier {
  readonly verify: VerifySession;
  /** Asks whether a verified session has been revoked; undefined where none can be. */
  readonly revocationOf?: ReturnType<typeof revocations> | undefined;
  /** Whether any session can be verified right now. */
  readonly canVerify: () => boolean | Promise<boolean>;
  /** Before the first request. What cannot be reached at this moment does not keep the gateway down. */
  readonly start?: () => Promise<void>;
  readonly close?: () => void;
}

/** Makes the verifier of the configured kind. With a Redis, JWTs can be revoked. */
export function verifierOf(config: SessionConfig, { log, metrics, redis }: Services): Verifier {
  const store = redis && new SessionStore(redis, metrics);
  const revocationOf = store && revocations(store, log);
  switch (config.kind) {
    case 'redis': {
      // config.ts starts no such gateway without a Redis.
      const sessions = store as SessionStore;
      return { verify: opaqueSessions(sessions), canVerify: () => sessions.isAvailable() };
    }
    case 'jwks': {
      const keys = new RemoteKeys(config.url, { log, metrics });
      return {
        verify: jwksSessions(config, keys, log),
        revocationOf,
        canVerify: () => keys.inUse !== undefined,
        start: () => keys.refresh(),
        close: () => keys.close(),
      };
    }
    case 'secret':
      return { verify: secretSessions(config), revocationOf, canVerify: () => true };
  }
}
