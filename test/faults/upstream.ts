import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Test } from 'tap';
import type { ProblemCode } from '../../src/base/problems.ts';
import { type Answer, build, isProblem, OTHER, sign } from '../helper.ts';

/** What a request that meets a fault of CometChat's, or of the way there, is looked at for. */
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
  readonly moved: Readonly<Record<string, number>>;
}

/** A gateway of which every request is looked at in four ways: the answer, CometChat, the log, the metrics. */
export async function upstream(
  t: Test,
  ...options: [Parameters<typeof build>[1]?, Parameters<typeof build>[2]?]
) {
  const gateway = await build(t, ...options);
  const setTags = () => gateway.put({ tags: ['vip'], conversationWith: OTHER });
  return {
    ...gateway,
    setTags,
    /** The same as another user. */
    putAs: async (user: string) =>
      gateway.put(
        { tags: ['vip'], conversationWith: OTHER },
        { authorization: `Bearer ${await sign({ sub: user })}` },
      ),
    /** Makes a request, and checks what it meets. */
    async meets(t: Test, expected: Expected, send: () => Promise<Answer> = setTags): Promise<Answer> {
      const before = { calls: gateway.sandbox.received, counts: await counts(gateway.app) };
      const answer = await send();
      if (expected.answer === 200) t.equal(answer.status, 200);
      else isProblem(t, answer, ...expected.answer);
      t.equal(answer.headers.get('retry-after'), expected.retryAfter?.toString() ?? null, 'Retry-After');
      t.equal(gateway.sandbox.received - before.calls, expected.calls, 'calls that reached CometChat');
      const id = answer.headers.get('x-request-id');
      const lines = gateway.requests().filter(({ requestId }) => requestId === id);
      t.match(lines, [expected.line], 'the line in the log');
      t.equal(lines.length, 1, 'and no other');
      t.strictSame(moved(before.counts, await counts(gateway.app)), expected.moved, 'the metrics that moved');
      t.notMatch(
        [answer.text, ...gateway.lines].join(),
        /private/,
        'nothing of what CometChat says of others',
      );
      return answer;
    },
  };
}

type Counts = Readonly<Record<string, number>>;

/** How long things took, and what is left of a limit: test/operations/metrics.test.ts looks at those. */
const MEASURES = /^http_|_calls_left$/;

/** What a gateway has counted, by name and label, without the prefix that they have in common. */
export async function counts(app: FastifyInstance): Promise<Counts> {
  const metrics = await app.metrics.registry.getMetricsAsJSON();
  const entries = metrics
    .filter(({ name }) => !MEASURES.test(name))
    .flatMap(({ name, values }) =>
      values.map(({ labels, value }): [string, number] => [
        [name.replace(/^cometchat_gateway_|_total$/g, ''), ...Object.values(labels)].join(' '),
        value,
      ]),
    );
  return Object.fromEntries(entries);
}

/** Waits until an attempt has failed, so that a write waits for its next one. */
export async function failedAttempt(app: FastifyInstance): Promise<void> {
  while (!(await counts(app))['attempts cometchat-failed']) await wait(1);
}

const moved = (before: Counts, after: Counts): Counts =>
  Object.fromEntries(
    Object.entries(after)
      .map(([name, value]): [string, number] => [name, value - (before[name] ?? 0)])
      .filter(([, by]) => by !== 0),
  );
