import type { Test } from 'tap';
import type { Sandbox } from '../../sandbox/server.ts';
import type { ProblemCode } from '../../src/base/problems.ts';
import type { Reason } from '../../src/session/reasons.ts';
import { type Answer, isProblem, parseAnswer } from './answers.ts';
import { type Counts, movedSince } from './metrics.ts';

export interface LogLine extends Record<string, unknown> {
  readonly level: string;
  readonly msg: string;
}

/** What a request is looked at for. */
export interface Expected {
  /** 200, or the problem that the client gets. */
  readonly answer: 200 | readonly [status: number, code: ProblemCode];
  /** Seconds; no header where it is left out. */
  readonly retryAfter?: number;
  /** How many calls reached CometChat. */
  readonly calls: number;
  /** The fields of the one line in the log. */
  readonly line: Record<string, unknown>;
  /** Every metric that moved, and by how much. */
  readonly moved: Counts;
}

/** What is special of a refusal. */
interface Refusal extends Partial<Pick<Expected, 'line' | 'moved' | 'retryAfter'>> {
  /** Why the session was refused. */
  readonly reason?: Reason | undefined;
}

/** Makes a request; `string` are the bytes that came back. */
type Sending = () => Promise<Answer | string>;

/** A gateway, as far as requests are looked at here. */
interface Observed {
  readonly sandbox: Sandbox;
  readonly lines: readonly string[];
  /** The lines about requests, parsed. */
  requests(): LogLine[];
  counts(): Promise<Counts>;
  /** The request that is made where a test gives no other. */
  setTags: Sending;
}

/** `meets()`, `refused()` and `served()` of a gateway. */
export function checksOf({ sandbox, lines, requests, counts, setTags }: Observed) {
  /** Makes a request, and looks at it in four ways: the answer, CometChat, the log, the metrics. */
  const meets = async (t: Test, expected: Expected, send: Sending = setTags): Promise<Answer> => {
    const before = { calls: sandbox.received, counts: await counts() };
    const reply = await send();
    const answer = typeof reply === 'string' ? parseAnswer(reply) : reply;
    if (expected.answer === 200) t.equal(answer.status, 200, 'the status');
    else isProblem(t, answer, ...expected.answer);
    t.equal(answer.headers.get('retry-after'), expected.retryAfter?.toString() ?? null, 'Retry-After');
    t.equal(sandbox.received - before.calls, expected.calls, 'calls that reached CometChat');
    const id = answer.headers.get('x-request-id');
    const found = requests().filter(({ requestId }) => requestId === id);
    t.equal(found.length, 1, 'lines in the log');
    const fields = Object.keys(expected.line).map((name) => [name, found[0]?.[name]]);
    t.match(Object.fromEntries(fields), expected.line, 'the line in the log');
    t.strictSame(movedSince(before.counts, await counts()), expected.moved, 'the metrics that moved');
    t.notMatch([answer.text, ...lines].join(), /private/, 'nothing of what CometChat says of others');
    return answer;
  };

  return {
    meets,
    /** The same for a request that the gateway refuses by itself; what is left out is as for most. */
    refused: (
      t: Test,
      send: Sending,
      status: number,
      code: ProblemCode,
      { reason, line, moved, retryAfter }: Refusal = {},
    ) =>
      meets(
        t,
        {
          answer: [status, code],
          ...(retryAfter !== undefined && { retryAfter }),
          calls: 0,
          line: {
            level: status >= 500 ? 'warn' : /^(?:info|debug)$/,
            status,
            problem: code,
            error: { type: code },
            reason,
            err: undefined,
            ...line,
          },
          moved: {
            [`problems ${code}`]: 1,
            ...(reason && { [`sessions_refused ${reason}`]: 1 }),
            ...moved,
          },
        },
        send,
      ),
    /** The same for one that is served, by one call. */
    served: (t: Test, send: Sending = setTags) =>
      meets(
        t,
        { answer: 200, calls: 1, line: { level: 'info', status: 200 }, moved: { 'attempts ok': 1 } },
        send,
      ),
  };
}
