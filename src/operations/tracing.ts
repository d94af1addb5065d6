import http from 'node:http';
import https from 'node:https';
import {
  defaultTextMapGetter,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { ExportResultCode, parseKeyPairsIntoRecord, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errorType } from '../base/error-type.ts';
import { usesProxy } from '../base/http-client.ts';
import type { Rotating } from '../base/rotating.ts';
import type { CallLabels, CallTrace } from '../base/trace.ts';
import { methodLabel } from './request-log.ts';
import { VERSION } from './version.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Makes spans of the calls that the request leads to, where traces are asked for. */
    trace?: CallTrace;
  }
}

export interface TracingConfig {
  /** Header fields for the receiver, as `name=value,name=value`, percent-encoded. */
  readonly headers: Rotating<string | undefined>;
}

// Loaded only where OTEL_* variables ask for traces. The names are those of
// https://opentelemetry.io/docs/specs/semconv/http/http-spans/

const SERVICE = 'cometchat-gateway';
/** How long the process waits at its end for the last spans to be sent. */
const FLUSH_MS = 2000;
/** Only where a trace comes from is taken in: baggage and tracestate could be anything, and would be passed on. */
const propagator = new W3CTraceContextPropagator();

const SHARED: Readonly<Record<string, http.Agent>> = {
  'http:': http.globalAgent,
  'https:': https.globalAgent,
};

/** Sends traces to an OTLP receiver, as the standard variables say: OTEL_EXPORTER_OTLP_*, OTEL_TRACES_SAMPLER and so on. */
export class Tracing {
  readonly #provider: BasicTracerProvider;

  constructor({ headers }: TracingConfig, log: FastifyBaseLogger) {
    const exporter = new OTLPTraceExporter({
      headers: async () => parseKeyPairsIntoRecord(headers.current),
      // Its own connections know of no proxy; those that Node.js keeps for the process do.
      ...(usesProxy() && { httpAgentOptions: (protocol: string) => SHARED[protocol] as http.Agent }),
    });
    this.#provider = new BasicTracerProvider({
      // What the environment says goes before our name and version.
      resource: defaultResource()
        .merge(resourceFromAttributes({ 'service.name': SERVICE, 'service.version': VERSION }))
        .merge(detectResources({ detectors: [envDetector] })),
      spanProcessors: [new BatchSpanProcessor(reported(exporter, log))],
    });
  }

  /** Makes a span of every request but probes, and puts its ids on every line that the request logs. */
  follow(app: FastifyInstance): void {
    const tracer = this.#provider.getTracer(SERVICE);
    app.addHook('onRequest', async (request, reply) => {
      if (request.routeOptions.config.probe) return;
      const followed = new RequestTrace(tracer, request);
      request.trace = followed;
      request.log = request.log.child(followed.ids);
      reply.raw.once('close', () => followed.end(request, reply));
    });
    app.addHook('onClose', () => this.#close());
  }

  async #close(): Promise<void> {
    const late = AbortSignal.timeout(FLUSH_MS);
    const giveUp = new Promise<void>((resolve) => late.addEventListener('abort', () => resolve()));
    await Promise.race([this.#provider.shutdown().catch(() => {}), giveUp]);
  }
}

/** The spans of one request: its own, and one for each call to CometChat beneath it. */
class RequestTrace implements CallTrace {
  readonly #tracer: Tracer;
  readonly #span: Span;
  #calls = 0;

  constructor(tracer: Tracer, { method, headers, protocol, routeOptions: { url: route } }: FastifyRequest) {
    this.#tracer = tracer;
    this.#span = tracer.startSpan(
      `${methodLabel(method)} ${route ?? ''}`.trimEnd(),
      {
        kind: SpanKind.SERVER,
        attributes: {
          'http.request.method': methodLabel(method),
          'url.scheme': protocol,
          ...(route !== undefined && { 'http.route': route }),
        },
      },
      propagator.extract(ROOT_CONTEXT, { traceparent: headers.traceparent }, defaultTextMapGetter),
    );
  }

  get ids(): { trace_id: string; span_id: string } {
    const { traceId, spanId } = this.#span.spanContext();
    return { trace_id: traceId, span_id: spanId };
  }

  /** Begins the span of a call. @returns ends it */
  startCall(call: CallLabels): (status: number | undefined, errorType: string | undefined) => void {
    const span = this.#tracer.startSpan(
      `${call.method} ${call.urlTemplate}`,
      {
        kind: SpanKind.CLIENT,
        attributes: {
          'http.request.method': call.method,
          'url.template': call.urlTemplate,
          'server.address': call.serverAddress,
          'server.port': call.serverPort,
          ...(this.#calls > 0 && { 'http.request.resend_count': this.#calls }),
        },
      },
      trace.setSpan(ROOT_CONTEXT, this.#span),
    );
    this.#calls += 1;
    return (status, errorType) => finish(span, status, errorType, errorType !== undefined);
  }

  end({ failure }: FastifyRequest, { raw, statusCode }: FastifyReply): void {
    const isAnswered = raw.writableFinished;
    finish(
      this.#span,
      isAnswered ? statusCode : undefined,
      isAnswered ? failure?.code : 'client_gone',
      isAnswered && statusCode >= 500,
    );
  }
}

function finish(
  span: Span,
  status: number | undefined,
  errorType: string | undefined,
  isError: boolean,
): void {
  if (status !== undefined) span.setAttribute('http.response.status_code', status);
  if (errorType !== undefined) span.setAttribute('error.type', errorType);
  if (isError) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end();
}

/** Logs when spans begin to get lost, and when they arrive again. */
function reported(exporter: SpanExporter, log: FastifyBaseLogger): SpanExporter {
  let arrives = true;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const isTaken = result.code === ExportResultCode.SUCCESS;
        if (arrives && !isTaken)
          log.warn({ error: { type: errorType(result.error) } }, 'traces cannot be exported');
        if (!arrives && isTaken) log.info('traces are exported again');
        arrives = isTaken;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
