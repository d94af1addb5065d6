import type { Test } from 'tap';
import { PROBLEMS, type ProblemCode } from '../../src/base/problems.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever the gateway answered
  readonly json: any;
}

export async function fetchAnswer(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, init);
  return answerOf(response.status, response.headers, await response.text());
}

/** The call as bytes, with these header fields beside Host and the body's length. */
export const callBytes = (...fields: readonly string[]): string =>
  [
    'PUT /me/conversations/tags HTTP/1.1',
    'Host: gateway',
    ...fields,
    'Content-Length: 11',
    '',
    '{"tags":[]}',
  ].join('\r\n');

/** Reads the last of the replies that came back as bytes. */
export function parseAnswer(bytes: string): Answer {
  if (!bytes.includes('HTTP/')) throw new Error(`no answer came, but ${JSON.stringify(bytes)}`);
  const reply = bytes.split(/(?=HTTP\/1\.1 \d{3} )/).at(-1) ?? '';
  const [head = '', body = ''] = reply.split('\r\n\r\n');
  const [statusLine = '', ...fields] = head.split('\r\n');
  const headers = fields.map((field): [string, string] => [
    field.slice(0, field.indexOf(':')),
    field.slice(field.indexOf(':') + 1),
  ]);
  return answerOf(Number(statusLine.split(' ')[1]), new Headers(headers), body);
}

const answerOf = (status: number, headers: Headers, body: string): Answer => ({
  status,
  headers,
  text: body,
  json: body === '' ? undefined : JSON.parse(body),
});

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Checks that an answer is the problem of this code, whole and in form. */
export function isProblem(t: Test, answer: Answer, status: number, code: ProblemCode): void {
  t.equal(answer.status, status, 'the status');
  t.equal(answer.headers.get('content-type'), 'application/problem+json', 'the type of the body');
  const requestId = answer.headers.get('x-request-id');
  t.match(requestId, UUID, 'X-Request-Id');
  const { detail, errors, ...others } = answer.json ?? {};
  const type = `urn:cometchat-gateway:problem:${code}`;
  t.strictSame(others, { type, title: PROBLEMS[code].title, status, code, requestId }, 'the problem');
  t.ok(typeof detail === 'string' && detail.trim() !== '', 'a detail');
}
