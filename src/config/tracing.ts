import querystring from 'node:querystring';
import type { TracingConfig } from '../operations/tracing.ts';
import type { Environment } from './variables.ts';

const ADDRESS = /^https?:\/\/[^\s@]+$/;
const HEADERS = /^[^=,]+=[^,]*(?:,[^=,]+=[^,]*)*,?$/;
const OR_NONE = 'or set OTEL_TRACES_EXPORTER=none to go without traces';

/**
 * Decides whether OpenTelemetry's variables ask for traces. Where they do not, nothing of them is wrong.
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 *
 * @param faults gets a line for each variable that cannot be followed
 * @returns undefined where no traces are asked for
 */
export function tracingConfig(env: Partial<Environment>, faults: string[]): TracingConfig | undefined {
  const { OTEL_TRACES_EXPORTER: exporter, OTEL_EXPORTER_OTLP_HEADERS: headers } = env;
  const endpoints = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] as const;
  const hasEndpoint = endpoints.some((name) => env[name] !== undefined);
  const isAsked = exporter === undefined ? hasEndpoint : exporter.split(',').includes('otlp');
  if (!isAsked || env.OTEL_SDK_DISABLED?.toLowerCase() === 'true') return undefined;
  for (const name of endpoints) {
    if (env[name] !== undefined && !ADDRESS.test(env[name])) {
      faults.push(
        `${name}: must be an address such as http://collector:4318, without user and password, ${OR_NONE}`,
      );
    }
  }
  const protocol = env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL === undefined ? '' : 'TRACES_';
  const name = `OTEL_EXPORTER_OTLP_${protocol}PROTOCOL` as const;
  if (env[name] !== 'http/protobuf') faults.push(`${name}: must be http/protobuf, ${OR_NONE}`);
  if (headers !== undefined && !HEADERS.test(headers)) {
    faults.push('OTEL_EXPORTER_OTLP_HEADERS: must be header fields such as a=b,c=d');
  }
  return { headers: { current: headers } };
}

/** @returns what may be a token among such fields, as it stands there and as it is sent */
export const headerValues = (headers: string): string[] =>
  headers.split(',').flatMap((pair) => {
    const value = pair.slice(pair.indexOf('=') + 1);
    return [value, querystring.unescape(value)];
  });
