import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { freePort, listening } from '../helpers/ports.ts';

const SCRIPT = join(import.meta.dirname, '../../scripts/pin-digests.ts');
const INDEX = 'application/vnd.oci.image.index.v1+json';
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

const DOCKERFILE = `FROM node:26.10.0-slim AS runtime
FROM runtime AS gateway
COPY --from=runtime /a /b
`;
const COMPOSE = `services:
  gateway-1:
    image: cometchat-gateway
  redis:
    image: redis:7.4.10-alpine@${digest('0')}
  # image: redis:7 was before
  metrics:
    image: example/exporter:1.0.0
`;
const PINNED = {
  dockerfile: DOCKERFILE.replace('slim', `slim@${digest('a')}`),
  compose: COMPOSE.replace(digest('0'), digest('b')).replace('1.0.0', `1.0.0@${digest('c')}`),
};

/** What the registry says of each image. */
const ANSWERS: Record<string, Answer> = {
  '/v2/library/node/manifests/26.10.0-slim': { digest: digest('a') },
  '/v2/library/redis/manifests/7.4.10-alpine': { digest: digest('b') },
  '/v2/example/exporter/manifests/1.0.0': {
    type: 'application/vnd.docker.distribution.manifest.list.v2+json',
    digest: digest('c'),
  },
};
interface Answer {
  status?: number;
  type?: string;
  digest?: string;
}

/** How it asks for a token. */
const CHALLENGE = 'Bearer realm="HUB/token",service="hub",scope="pull"';

/** A registry as Docker Hub is one: it answers who has its token, and gives one to everybody. */
async function registry(t: Test, answers: Record<string, Answer>, challenge = CHALLENGE) {
  const server = http.createServer(({ method, url = '', headers }, response) => {
    if (url === '/token?service=hub&scope=pull') return response.end('{"token":"good"}');
    if (url === '/token?service=hub&scope=push') return response.end('{"token":"bad"}');
    if (url.startsWith('/none')) return response.writeHead(404).end();
    if (headers.authorization !== 'Bearer good') {
      const realm = `http://${headers.host}`;
      return response.writeHead(401, { 'www-authenticate': challenge.replace('HUB', realm) }).end();
    }
    const { status = 200, type = INDEX, digest } = answers[url] ?? { status: 404 };
    t.equal(method, 'HEAD');
    t.match(headers.accept, INDEX);
    return response
      .writeHead(status, { 'content-type': type, ...(digest && { 'docker-content-digest': digest }) })
      .end();
  });
  return `http://127.0.0.1:${await listening(t, server)}`;
}

/** Runs the script in a folder with these files, and gives what has become of them. */
async function pin(t: Test, url: string | undefined, files = { dockerfile: DOCKERFILE, compose: COMPOSE }) {
  const cwd = t.testdir({ Dockerfile: files.dockerfile, 'docker-compose.yml': files.compose });
  const env = { PATH: process.env.PATH, ...(url && { REGISTRY_URL: url }) };
  const {
    code = 0,
    stdout,
    stderr,
  } = await promisify(execFile)(process.execPath, [SCRIPT], { cwd, env }).catch((error) => error);
  const read = (name: string) => readFileSync(join(cwd, name), 'utf8');
  const after = { dockerfile: read('Dockerfile'), compose: read('docker-compose.yml') };
  return { code, stdout, stderr, after };
}

t.test('every image with a tag gets its digest, and an old one is replaced', async (t) => {
  const url = await registry(t, ANSWERS);
  const { after, stdout } = await pin(t, url);
  t.strictSame(after, PINNED);
  t.match(stdout, `node:26.10.0-slim@${digest('a')}\nredis:7.4.10-alpine@${digest('b')}\n`);
  t.strictSame((await pin(t, url, after)).after, PINNED, 'a second time changes nothing');
});

const REFUSED: [claim: string, answer: Answer, said: RegExp][] = [
  ['the image is not there', { status: 404 }, /redis:7.4.10-alpine: .* answered 404/],
  ['there is no digest', {}, /redis:7.4.10-alpine: .* no digest/],
  ['the digest is none', { digest: 'sha256:abc' }, /no digest: sha256:abc/],
  ['the digest has more than one line to write', { digest: `${digest('b')} x` }, /no digest/],
  [
    'it is an image of one platform',
    { digest: digest('b'), type: 'application/vnd.oci.image.manifest.v1+json' },
    /no list of platforms/,
  ],
];
for (const [claim, answer, said] of REFUSED) {
  t.test(`nothing is written where ${claim}`, async (t) => {
    const url = await registry(t, { ...ANSWERS, '/v2/library/redis/manifests/7.4.10-alpine': answer });
    const { code, stderr, after } = await pin(t, url);
    t.equal(code, 1);
    t.match(stderr, said);
    t.strictSame(after, { dockerfile: DOCKERFILE, compose: COMPOSE });
  });
}

const NO_TOKEN: [claim: string, challenge: string, said: RegExp][] = [
  ['the token is refused', CHALLENGE.replace('pull', 'push'), /node:26.10.0-slim: .* answered 401/],
  ['no token is to be had', CHALLENGE.replace('/token', '/none'), /\/none answered 404/],
  ['the registry asks for something else', 'Basic', /asked for no token: Basic/],
];
for (const [claim, challenge, said] of NO_TOKEN) {
  t.test(`nothing is written where ${claim}`, async (t) => {
    const { code, stderr, after } = await pin(t, await registry(t, ANSWERS, challenge));
    t.equal(code, 1);
    t.match(stderr, said);
    t.strictSame(after, { dockerfile: DOCKERFILE, compose: COMPOSE });
  });
}

t.test('nothing is asked of Docker Hub that is elsewhere', async (t) => {
  const files = { dockerfile: DOCKERFILE, compose: '    image: ghcr.io/example/redis:1.0.0\n' };
  const { code, stderr } = await pin(t, await registry(t, ANSWERS), files);
  t.equal(code, 1);
  t.match(stderr, 'ghcr.io/example/redis:1.0.0: is not on Docker Hub');
});

t.test('where there is no image to look up, nobody is asked', async (t) => {
  const files = { dockerfile: 'FROM scratch\n', compose: '    image: cometchat-gateway\n' };
  t.match(await pin(t, undefined, files), { code: 0, stdout: '', stderr: '', after: files });
});

t.test('nothing is written where no registry answers, and its address is told', async (t) => {
  const url = `http://127.0.0.1:${await freePort()}`;
  const { code, stderr, after } = await pin(t, url);
  t.equal(code, 1);
  t.match(stderr, `${url}/v2/library/node/manifests/26.10.0-slim cannot be reached: `);
  t.match(stderr, 'ECONNREFUSED');
  t.strictSame(after, { dockerfile: DOCKERFILE, compose: COMPOSE });
});
