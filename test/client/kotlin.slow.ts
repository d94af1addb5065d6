import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Test } from 'tap';
import { startGateway } from '../helpers/gateway.ts';
import { testWith } from '../helpers/installed.ts';
import { OTHER, sign } from '../helpers/tokens.ts';
import { problem, type Reply, startFront } from './front.ts';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('../../client/kotlin/GatewayClient.kt', import.meta.url));

/** What the program reads and prints, whatever the locale. */
const UTF_8 = ['-Dfile.encoding=UTF-8', '-Dsun.stdout.encoding=UTF-8', '-Dstdout.encoding=UTF-8'];

/** Makes each request that it reads, "method path body", and prints what came of it. */
const MAIN = `
fun main(args: Array<String>) {
    val client = GatewayClient(args[0]) { args[1] }
    client.readTimeoutMs = 2_000
    client.longestWaitMs = 1_500
    for (line in generateSequence(::readlnOrNull)) {
        val (method, path, body) = line.split(" ", limit = 3)
        try {
            val reply = client.call(method, path, body.ifEmpty { null })
            println("\${reply.status} \${reply.body}")
        } catch (error: java.io.IOException) {
            println(error.javaClass.simpleName)
        }
    }
}
`;

const PATH = '/me/conversations/tags';
const GET = `GET ${PATH}?conversationWith=${OTHER} `;

/** Compiles the client, and gives what makes requests with it: one program for all tests, since it takes seconds. */
async function compile(t: Test) {
  const folder = t.testdir({ 'Main.kt': MAIN });
  const jar = join(folder, 'main.jar');
  const { stderr } = await run('kotlinc', [SOURCE, join(folder, 'Main.kt'), '-include-runtime', '-d', jar]);
  t.notMatch(stderr, 'warning:');
  return async (baseUrl: string, ...requests: string[]): Promise<string[]> => {
    const child = run('java', [...UTF_8, '-jar', jar, baseUrl, await sign()]);
    child.child.stdin?.end(`${requests.join('\n')}\n`);
    return (await child).stdout.trimEnd().split('\n');
  };
}

testWith('kotlinc', 'the Kotlin client', async (t) => {
  t.ok(readFileSync(SOURCE, 'utf8').split('\n').length < 80, 'it has less than 80 lines');
  const call = await compile(t);
  const gateway = await startGateway(t);
  /** What came of requests that meet these replies first. */
  const meeting = async (replies: Reply[], ...requests: string[]) => {
    const front = await startFront(t, gateway.origin, replies);
    const start = performance.now();
    const results = await call(front.origin, ...requests);
    return { results, seen: front.seen, tookMs: performance.now() - start };
  };

  t.test('gives the status and the body of each answer', async (t) => {
    const [put = '', get = '', refused = ''] = await call(
      gateway.origin,
      `PUT ${PATH} {"tags":["ä b"],"conversationWith":"${OTHER}"}`,
      GET,
      `PUT ${PATH} {"tags":1}`,
    );
    for (const answer of [put, get]) {
      t.equal(answer.slice(0, 4), '200 ');
      t.match(JSON.parse(answer.slice(4)), { conversations: [{ tags: ['ä b'] }] });
    }
    t.equal(refused.slice(0, 4), '400 ');
    t.match(JSON.parse(refused.slice(4)), { code: 'body-invalid' });
  });

  t.test('waits for Retry-After, and sends the request again', async (t) => {
    const busy = problem('cometchat-busy', { 'retry-after': '1' });
    const { results, seen, tookMs } = await meeting([busy], GET);
    t.match(results, [/^200 /]);
    t.equal(seen.length, 2);
    t.ok(tookMs >= 999, `${tookMs} ms`);
  });

  t.test('makes three attempts at most', async (t) => {
    const draining = problem('gateway-draining');
    const { results, seen } = await meeting([draining, draining, draining], GET);
    t.match(results, [/^503 .*"code":"gateway-draining"/]);
    t.equal(seen.length, 3);
  });

  t.test('begins no wait that is longer than it may be, in all', async (t) => {
    const [once, minute] = ['1', '60'].map((wait) => problem('rate-limited', { 'retry-after': wait }));
    const long = await meeting([minute as Reply], GET);
    t.match(long.results, [/^429 /]);
    t.equal(long.seen.length, 1);
    const several = await meeting([once as Reply, once as Reply], GET);
    t.match(several.results, [/^429 /]);
    t.equal(several.seen.length, 2);
  });

  t.test('does not repeat what has no Retry-After, a negative one, or another status', async (t) => {
    for (const [status, headers] of [
      [502, {}],
      [503, { 'retry-after': '-1' }],
      [403, { 'retry-after': '0' }],
      [500, { 'retry-after': '0' }],
    ] as const) {
      const { results, seen } = await meeting([{ status, headers, body: 'Odd' }], GET);
      t.strictSame(results, [`${status} Odd`]);
      t.equal(seen.length, 1);
    }
  });

  t.test('takes an address that ends with slashes', async (t) => {
    t.match(await call(`${gateway.origin}//`, GET), [/^200 /]);
  });

  t.test('sends no PATCH from a JVM that is not Android', async (t) => {
    t.strictSame(await call(gateway.origin, `PATCH ${PATH} {}`), ['ProtocolException']);
  });

  t.test('lets the token follow no redirect', async (t) => {
    const elsewhere = await startFront(t, gateway.origin);
    const location = `${elsewhere.origin}${PATH}`;
    const { results } = await meeting([{ status: 307, headers: { location } }], GET);
    t.match(results, [/^307/]);
    t.equal(elsewhere.seen.length, 0);
  });

  t.test('ends with an exception if no answer comes', async (t) => {
    const { results } = await meeting(['silence', 'cut'], GET, GET);
    t.match(results, ['SocketTimeoutException', /Exception$/]);
  });
});
