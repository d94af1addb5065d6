import type { Problem } from './api.ts';

/** The codes of the gateway's problems, and three for a request that got none. */
export type GatewayErrorCode = Problem['code'] | 'unreachable' | 'timeout' | 'unknown-reply';

interface Details {
  readonly cause?: unknown;
  readonly status?: number;
  readonly problem?: Problem | undefined;
  readonly retryAfterSeconds?: number | undefined;
  readonly requestId?: string | undefined;
}

/** Why a request failed. Decide by `code`: a newer gateway may send one that this version does not list. */
export class GatewayError extends Error {
  declare readonly code: GatewayErrorCode;
  /** The status of the reply, unless none came. */
  declare readonly status: number | undefined;
  /** The whole document, with `errors` for each field that breaks a rule. */
  declare readonly problem: Problem | undefined;
  /** The wait that the reply asks for. */
  declare readonly retryAfterSeconds: number | undefined;
  /** Finds the request in the gateway's log. */
  declare readonly requestId: string | undefined;

  constructor(code: GatewayErrorCode, message: string, { cause, ...details }: Details) {
    super(message, cause ? { cause } : undefined);
    Object.assign(this, { name: 'GatewayError', code, ...details });
  }
}
