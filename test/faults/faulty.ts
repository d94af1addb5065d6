import type { Test } from 'tap';
import type { ProblemCode } from '../../src/base/problems.ts';
import { type Answer, build, isProblem, metricOf, parseAnswer } from '../helper.ts';

/** Why sessions cannot be checked: a code of Redis, of Node.js or of jose. */
const REASON = /^(?:[A-Z_]+|disconnected|timeout)$/;

/** A gateway of which every refused request is looked at in four ways: the answer, CometChat, the log, the metric. */
export async function faulty(
  t: Test,
  ...options: [Parameters<typeof build>[1]?, Parameters<typeof build>[2]?]
) {
  const gateway = await build(t, ...options);
  let calls = 0;
  const refused = async (
    t: Test,
    answer: Answer | string,
    status: number,
    code: ProblemCode,
    errorType: string | RegExp = code === 'session-store-unavailable' ? REASON : code,
    level = status >= 500 ? 'warn' : 'info',
  ) => {
    const reply = typeof answer === 'string' ? parseAnswer(answer) : answer;
    isProblem(t, reply, status, code);
    t.equal(gateway.sandbox.calls.length, calls, 'CometChat was not called');
    const line = gateway.requests().find(({ requestId }) => requestId === reply.json.requestId);
    t.match(line, { level, status, problem: code, error: { type: errorType } }, 'one line in the log');
    t.notOk(line?.err, 'which quotes no error');
    const refusals = gateway.requests().filter(({ problem }) => problem === code);
    const counted = await metricOf(gateway.app.metrics, 'problems_total', { code });
    t.equal(counted, refusals.length, 'the metric counts it');
    return reply;
  };
  return {
    ...gateway,
    /**
     * Checks that the request that was made last, and no other since, was refused in this way.
     *
     * @param answer what came back, or the bytes of it
     * @param errorType the log's, where it is not the problem's code
     */
    refused,
    /** The same for one beyond a limit that another was beyond before: a gateway of LOG_LEVEL `debug` logs it. */
    refusedAgain: (t: Test, answer: Answer | string) =>
      refused(t, answer, 429, 'rate-limited', 'rate-limited', 'debug'),
    /** Checks that the request was served, by one call to CometChat. */
    async served(t: Test, answer: Answer | string) {
      const reply = typeof answer === 'string' ? parseAnswer(answer) : answer;
      t.equal(reply.status, 200);
      calls += 1;
      t.equal(gateway.sandbox.calls.length, calls, 'CometChat was called once');
      return reply;
    },
  };
}
