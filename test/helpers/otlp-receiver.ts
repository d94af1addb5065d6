import http from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import type { Test } from 'tap';
import { listening } from './ports.ts';

// As much of https://github.com/open-telemetry/opentelemetry-proto as the tests look at; the numbers are the contract.
const { root } = protobuf.parse(`
  syntax = "proto3";
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5; int32 kind = 6;
    fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8; repeated KeyValue attributes = 9; Status status = 15;
  }
  message Status { int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; } }
`);
const Export = root.lookupType('ExportTraceServiceRequest');

type Attributes = Record<string, unknown>;

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** '' where it is the first of its trace. */
  readonly parentId: string;
  readonly state: string;
  readonly name: string;
  readonly kind: 'server' | 'client';
  readonly isError: boolean;
  readonly attributes: Attributes;
  /** Of the service that it is from. */
  readonly resource: Attributes;
}

/**
 * Starts a receiver of traces as OTLP over HTTP has them, for the length of a test.
 *
 * @returns `spans` are those that have arrived; `headers` those of the last export; `status` what it answers
 */
export async function otlpReceiver(t: Test) {
  const state = {
    spans: [] as ReceivedSpan[],
    headers: {} as http.IncomingHttpHeaders,
    status: 200,
    paths: [] as string[],
  };
  const server = http.createServer(async (request, response) => {
    const body = await buffer(request);
    state.headers = request.headers;
    state.paths.push(String(request.url));
    const bytes = request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
    if (state.status === 200) state.spans.push(...decode(bytes));
    response.writeHead(state.status, { 'content-type': 'application/x-protobuf' }).end();
  });
  return Object.assign(state, { url: `http://127.0.0.1:${await listening(t, server)}` });
}

// biome-ignore lint/suspicious/noExplicitAny: what protobufjs makes has no types
type Message = any;

function decode(bytes: Uint8Array): ReceivedSpan[] {
  const options = { longs: Number, bytes: Buffer, defaults: true };
  const document: Message = Export.toObject(Export.decode(bytes), options);
  return document.resourceSpans.flatMap(({ resource, scopeSpans }: Message) =>
    scopeSpans.flatMap(({ spans }: Message) =>
      spans.map(
        (span: Message): ReceivedSpan => ({
          traceId: Buffer.from(span.traceId).toString('hex'),
          spanId: Buffer.from(span.spanId).toString('hex'),
          parentId: Buffer.from(span.parentSpanId).toString('hex'),
          state: span.traceState,
          name: span.name,
          kind: span.kind === 2 ? 'server' : 'client',
          isError: span.status?.code === 2,
          attributes: attributesOf(span.attributes),
          resource: attributesOf(resource.attributes),
        }),
      ),
    ),
  );
}

const attributesOf = (pairs: Message[]): Attributes =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, Object.values(value)[0]]));
