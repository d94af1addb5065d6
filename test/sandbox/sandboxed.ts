import net, { type Socket } from 'node:net';
import type { Test } from 'tap';
import type { SandboxOptions } from '../../sandbox/options.ts';
import type { Sandbox } from '../../sandbox/server.ts';
import { startSandbox } from '../helpers/sandbox.ts';
import { until } from '../helpers/until.ts';

export const KEY = 'key';

/** Starts a sandbox for the length of a test, and gives what calls it. */
export async function sandboxed(t: Test, options: Partial<SandboxOptions> = {}) {
  const sandbox = await startSandbox(t, { apiKey: KEY, ...options });
  return {
    sandbox,
    async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
      const all = { apikey: KEY, onBehalfOf: 'cometchat-uid-1', ...headers };
      const init = { method, headers: all, ...(body !== undefined && { body: JSON.stringify(body) }) };
      const response = await fetch(sandbox.origin + path, init);
      return { status: response.status, headers: response.headers, json: JSON.parse(await response.text()) };
    },
  };
}

/** The call as bytes: the tags `["a"]`, put by cometchat-uid-1 on the conversation with cometchat-uid-2. */
export const CALL = [
  'PUT /v3/users/cometchat-uid-2/conversation HTTP/1.1',
  'Host: sandbox',
  `apikey: ${KEY}`,
  'onBehalfOf: cometchat-uid-1',
  'Content-Length: 14',
  '',
  '{"tags":["a"]}',
].join('\r\n');

/** A connection to the sandbox, and what has come back on it. */
export class Line {
  received = '';
  /** How it ended: `FIN`, or the code of the error. */
  ended = '';
  readonly socket: Socket;

  constructor(t: Test, sandbox: Sandbox) {
    this.socket = net.connect(Number(new URL(sandbox.origin).port), '127.0.0.1');
    t.teardown(() => this.socket.destroy());
    this.socket.setEncoding('latin1').on('data', (data) => {
      this.received += data;
    });
    this.socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      this.ended = code ?? '';
    });
    this.socket.on('end', () => {
      this.ended = 'FIN';
    });
    this.socket.write(CALL);
  }

  /** Waits until so many bytes, or this text, have come. */
  async gets(what: number | string): Promise<void> {
    const has = () =>
      typeof what === 'number' ? this.received.length >= what : this.received.includes(what);
    await until(typeof what === 'number' ? `byte ${what}` : what, has);
  }

  /** Waits for the end, and tells how it came. */
  async end(): Promise<string> {
    await until('the end of the connection', () => this.socket.closed);
    return this.ended;
  }
}
