import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import t from 'tap';
import { parse } from 'yaml';
import { type Clock, MACHINE_CLOCK } from '../../src/base/clock.ts';
import { PROBLEMS } from '../../src/base/problems.ts';
import type { Answer } from '../helpers/answers.ts';
import { blocksIn, codeIn, pageOf, sectionOf, tableIn } from '../helpers/docs-page.ts';
import { type Gateway, startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { OTHER, sign } from '../helpers/tokens.ts';
import { until } from '../helpers/until.ts';

const text = pageOf('api.md');
const section = (heading: string) => sectionOf(text, heading);
const openapi = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8'));

t.test('the page lists every problem, with its status', async (t) => {
  const listed = tableIn(text, 'status', 'code', 'meaning', 'do');
  t.strictSame(
    listed.map(([status, code]) => [Number(status), `${code}`.slice(1, -1)]),
    Object.entries(PROBLEMS).map(([code, { status }]) => [status, code]),
  );
  t.ok(
    listed.every((cells) => cells.length === 4 && cells.every((cell) => cell !== '')),
    'with a meaning and what to do',
  );
});

t.test('the page says which problems come only from some requests', async (t) => {
  const { '/me/conversations/tags': tags, '/me/conversations': list } = openapi.paths;
  const requests = { PUT: [tags.put], PATCH: [tags.patch], GETs: [tags.get, list.get] };
  const all = Object.values(requests).flat();
  const codesOf = ({ responses }: { responses: Record<string, { content: object }> }) =>
    Object.values(responses).flatMap(({ content }) =>
      Object.keys(
        (content as Record<string, { examples: object }>)['application/problem+json']?.examples ?? {},
      ),
    );
  for (const [codes = '', from = ''] of tableIn(text, 'code', 'only from')) {
    const named = Object.entries(requests).flatMap(([name, some]) => (from.includes(name) ? some : []));
    for (const code of codeIn(codes)) {
      t.strictSame(
        all.filter((request) => codesOf(request).includes(code)),
        named,
        code,
      );
    }
  }
  const exceptions = tableIn(text, 'code', 'only from').flatMap(([codes = '']) => codeIn(codes));
  const others = Object.keys(PROBLEMS).filter((code) => ![...exceptions, 'gateway-draining'].includes(code));
  // Bytes that are no HTTP are of no request that openapi.yaml could list.
  for (const code of others.filter((code) => code !== 'body-malformed')) {
    t.ok(
      all.every((request) => codesOf(request).includes(code)),
      `${code} comes from all`,
    );
  }
});

t.test('the page names the operations and schemas of openapi.yaml', async (t) => {
  const names = codeIn(section('### Other languages')).filter((word) => /^\w+$/.test(word));
  const operations = Object.values<Record<string, { operationId: string }>>(openapi.paths).flatMap(
    (methods) => Object.values(methods).map(({ operationId }) => operationId),
  );
  t.ok(names.length > 7);
  t.strictSame(
    names.filter((name) => !operations.includes(name) && !(name in openapi.components.schemas)),
    [],
  );
});

testWith('curl', 'the page’s examples are answered as it says', async (t) => {
  const { origin } = await startGateway(t);
  const env = { PATH: process.env.PATH, GATEWAY: origin, TOKEN: await sign() };
  const answers = [];
  for (const lines of blocksIn(text, 'sh')) {
    const { stdout } = await promisify(execFile)('bash', ['-c', lines], { env });
    answers.push(JSON.parse(stdout));
  }
  const [put, patched, read, list, problem] = answers;
  const [conversation = '', page = '', error = ''] = blocksIn(text, 'json');
  t.strictSame(put, JSON.parse(conversation));
  t.strictSame(patched.conversations[0].tags, ['vip', 'pinned']);
  t.strictSame(read, patched);
  t.strictSame(list, JSON.parse(page.replace('[...]', JSON.stringify(read.conversations))));
  t.strictSame({ ...JSON.parse(error), requestId: problem.requestId }, problem);
});

/** Makes the change of a word of the table, with a tag of its own. */
const makers: Record<string, (gateway: Gateway, tag: string) => Promise<Answer>> = {
  PUT: ({ put }, tag) => put({ tags: [tag], conversationWith: OTHER }),
  PATCH: ({ patch }, tag) => patch({ add: [tag], conversationWith: OTHER }),
};

/** A clock that knows how many changes wait for their outcome: each has a timer for its deadline. */
function countingDeadlines() {
  const seen = { changes: 0 };
  const clock: Clock = {
    ...MACHINE_CLOCK,
    after(ms, run) {
      if (ms > 2000 && ms < 4000) seen.changes += 1;
      return MACHINE_CLOCK.after(ms, run);
    },
  };
  return { clock, seen };
}

for (const row of tableIn(text, 'waiting', 'arrives', 'CometChat gets', 'answers')) {
  const [waiting = '', arrives = '', gets = '', answers = ''] = row;
  t.test(`${waiting} waits, ${arrives} arrives: ${answers}`, async (t) => {
    const { clock, seen } = countingDeadlines();
    const gateway = await startGateway(t, {}, { seams: { clock } });
    const { sandbox } = gateway;
    const release = sandbox.hold();
    const reached = sandbox.nextCall();
    const sent = [];
    for (const [method, tag] of [
      ['PUT', 'under-way'],
      [waiting, 'older'],
      [arrives, 'newer'],
    ] as const) {
      sent.push(makers[method]?.(gateway, tag));
      await until('the change', () => seen.changes === sent.length);
    }
    await reached;
    sandbox.forget();
    release();
    const [underWay, older, newer] = await Promise.all(sent);
    t.equal(underWay?.status, 200);
    t.equal(newer?.status, 200);
    const isSuperseded = answers.includes('`superseded`');
    t.equal(older?.json.code, isSuperseded ? 'superseded' : undefined);
    if (!isSuperseded) t.strictSame(older?.json, newer?.json, 'the same outcome');
    const calls = sandbox.calls.map(({ method }) => method).join(' and one ');
    t.ok(gets.replace('the newer PUT', 'one PUT').replace(/^the/, 'one').startsWith(`one ${calls}`), calls);
  });
}
