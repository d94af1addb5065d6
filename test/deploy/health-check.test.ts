import http from 'node:http';
import t, { type Test } from 'tap';
import { environment } from '../helpers/environment.ts';
import { freePort, listening } from '../helpers/ports.ts';
import { Child } from '../helpers/process.ts';

async function check(t: Test, env: Record<string, string>, ...path: string[]) {
  const child = new Child(t, ['scripts/health-check.ts', ...path], env);
  return { code: await child.exit(), found: child.stdout.trim() };
}

for (const host of ['', '0.0.0.0', '127.0.0.2', '::', '::1', 'localhost']) {
  t.test(`the image’s health check finds a gateway with HOST=${host}`, async (t) => {
    const env = { HOST: host, PORT: String(await freePort()) };
    const gateway = new Child(t, ['src/main.ts'], { ...environment('http://127.0.0.1/v3'), ...env });
    await gateway.says(/"msg":"ready"/);
    t.strictSame(await check(t, env), { code: 0, found: '200' });
    t.strictSame(await check(t, env, '/readyz'), { code: 0, found: '200' });
  });
}

t.test('the image’s health check fails where nobody listens, or the answer is another', async (t) => {
  const server = http.createServer(({ url }, response) => {
    response.writeHead(url === '/livez' ? 503 : 204).end();
  });
  const env = { HOST: '127.0.0.1', PORT: String(await listening(t, server)) };
  t.strictSame(await check(t, env), { code: 1, found: '503' });
  t.strictSame(await check(t, env, '/readyz'), { code: 1, found: '204' });
  const elsewhere = { code: 1, found: `connect ECONNREFUSED 127.0.0.2:${env.PORT}` };
  t.strictSame(await check(t, { ...env, HOST: '127.0.0.2' }), elsewhere);
});

t.test('the image’s health check takes an empty PORT for 3000, as the gateway does', async (t) => {
  for (const PORT of ['', ' ']) {
    t.match(await check(t, { HOST: '127.0.0.3', PORT }), { code: 1, found: '127.0.0.3:3000' });
  }
});

t.test('the image’s health check asks no proxy', async (t) => {
  const server = http.createServer((_request, response) => response.end());
  const env = { HOST: '127.0.0.1', PORT: String(await listening(t, server)) };
  const proxy = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: 'http://127.0.0.2:9' };
  t.strictSame(await check(t, { ...env, ...proxy }), { code: 0, found: '200' });
});
