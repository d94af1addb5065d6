import type { Test } from 'tap';
import type { ProblemCode } from '../../src/base/problems.ts';
import type { Reason } from '../../src/session/reasons.ts';
import type { Variables } from '../helpers/environment.ts';
import { startGateway } from '../helpers/gateway.ts';

/** A gateway that is sent tokens. */
export async function tokenGateway(t: Test, env: Variables = {}) {
  const gateway = await startGateway(t, env);
  const send = (token: string) => gateway.put({ tags: [] }, { authorization: `Bearer ${token}` });
  return {
    ...gateway,
    send,
    accepts: (token: string) => gateway.served(t, () => send(token)),
    /** @param fetches how often the gateway asks the identity provider for its keys meanwhile */
    rejects: (
      token: string,
      reason: Reason,
      { code = 'session-invalid', fetches = 0 }: { code?: ProblemCode; fetches?: number } = {},
    ) =>
      gateway.refused(t, () => send(token), 401, code, {
        reason,
        moved: fetches > 0 ? { 'session_key_fetches ok': fetches } : {},
      }),
  };
}
