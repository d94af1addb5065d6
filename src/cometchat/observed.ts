import type { Metrics } from '../operations/metrics.ts';
import type { Outcome } from './call.ts';
import { PROBLEM_BY_CODE } from './errors.ts';
import type { Peer } from './exchange.ts';

/** What a single HTTP call to CometChat is, without whom it is about. */
export interface CallLabels {
  readonly method: 'PUT';
  readonly urlTemplate: string;
  readonly serverAddress: string;
  readonly serverPort: number;
}

/** Follows the calls that a request makes, where anybody does. */
export interface CallTrace {
  /** Begins a call. @returns ends it */
  startCall(call: CallLabels): (status: number | undefined, errorType: string | undefined) => void;
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/**
 * Makes the function through which all calls to CometChat go, so that each is measured, and followed where the request
 * that it is for is.
 */
export function observer(baseUrl: string, { clientDuration }: Metrics) {
  const { protocol, hostname, port } = new URL(baseUrl);
  const server = { serverAddress: hostname, serverPort: Number(port || DEFAULT_PORTS[protocol]) };
  return async (
    { type }: Peer,
    trace: CallTrace | undefined,
    ask: () => Promise<Outcome>,
  ): Promise<Outcome> => {
    const id = type === 'user' ? 'uid' : 'guid';
    const call = { method: 'PUT', urlTemplate: `/${type}s/{${id}}/conversation`, ...server } as const;
    const startedAt = performance.now();
    const end = trace?.startCall(call);
    const outcome = await ask();
    const seconds = (performance.now() - startedAt) / 1000;
    const errorType = outcome.ok ? undefined : boundedErrorType(outcome.errorType, outcome.code);
    clientDuration.observe(
      {
        http_request_method: call.method,
        url_template: call.urlTemplate,
        http_response_status_code: outcome.status ?? '',
        error_type: errorType ?? '',
        server_address: call.serverAddress,
        server_port: call.serverPort,
      },
      seconds,
    );
    end?.(outcome.status, errorType);
    return outcome;
  };
}

/** Codes are CometChat's to make up; the others are ours, Node.js' or a status. */
const boundedErrorType = (errorType: string, code: string | undefined): string =>
  code === undefined || Object.hasOwn(PROBLEM_BY_CODE, code) ? errorType : '_OTHER';
