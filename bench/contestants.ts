import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort } from '../test/helpers/ports.ts';
import { CORES, Program } from './program.ts';
import { API_KEY, SIGNER } from './users.ts';

const NGINX_CONF = `
daemon off; master_process off; pid nginx.pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  upstream cometchat { server 127.0.0.1:UPSTREAM; keepalive 64; keepalive_requests 1000000; }
  server {
    listen 127.0.0.1:PORT;
    keepalive_requests 1000000;
    location / {
      proxy_pass http://cometchat;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header apikey KEY;
      proxy_set_header onBehalfOf user;
      proxy_set_header Authorization "";
    }
  }
}
`;

/** A program that answers calls. */
export interface Running {
  readonly program: Program;
  readonly origin: string;
}

/** What all of them need to know: CometChat's port, and where their files go. */
export interface Place {
  readonly upstream: number;
  readonly folder: string;
}

/** Starts the CometChat that all of them call. @param delayMs how long it takes to answer */
export async function startUpstream(folder: string, delayMs = 0): Promise<Running & { port: number }> {
  const port = await freePort();
  const command = [process.execPath, 'bench/upstream.js'];
  const env = { PORT: String(port), DELAY_MS: String(delayMs) };
  const program = new Program(command, env, join(folder, `upstream-${delayMs}.log`), CORES.others);
  await program.says(/ready/);
  return { program, port, origin: `http://127.0.0.1:${port}` };
}

/** What all programs are told that do the gateway's work. */
const environment = (port: number, upstream: number) => ({
  PORT: String(port),
  COMETCHAT_BASE_URL: `http://127.0.0.1:${upstream}/v3`,
  COMETCHAT_API_KEY: API_KEY,
  SESSION_SECRET: SIGNER.secrets.join(),
  SESSION_ISSUER: SIGNER.issuer,
  SESSION_AUDIENCE: SIGNER.audience,
});

/** Starts one of the peers in bench/peers/. */
export async function startPeer(name: string, { upstream, folder }: Place): Promise<Running> {
  const port = await freePort();
  const command = [process.execPath, `bench/peers/${name}.js`];
  const env = environment(port, upstream);
  const program = new Program(command, env, join(folder, `${name}.log`), CORES.measured);
  await program.says(/ready/);
  return { program, origin: `http://127.0.0.1:${port}` };
}

/** Starts nginx as a bare reverse proxy: it puts the key on, and looks at nothing. */
export async function startNginx({ upstream, folder }: Place): Promise<Running> {
  const port = await freePort();
  const values: Record<string, unknown> = { UPSTREAM: upstream, PORT: port, KEY: API_KEY };
  const file = join(folder, 'nginx.conf');
  writeFileSync(
    file,
    NGINX_CONF.replace(/\b(?:UPSTREAM|PORT|KEY)\b/g, (name) => String(values[name])),
  );
  const command = ['nginx', '-p', folder, '-c', file];
  const program = new Program(command, {}, join(folder, 'nginx.log'), CORES.measured);
  const origin = `http://127.0.0.1:${port}`;
  while (!(await fetch(origin, { method: 'HEAD' }).catch(() => undefined))) await wait(5);
  return { program, origin };
}

/** Starts a Redis, for the gateway with Redis. @returns its URL too */
export async function startRedis(
  folder: string,
  { options = [], core = CORES.others }: { options?: readonly string[]; core?: number } = {},
): Promise<{ program: Program; url: string; port: number }> {
  const port = await freePort();
  const address = ['--port', String(port), '--bind', '127.0.0.1'];
  const command = ['redis-server', ...address, '--save', '', '--dir', folder, ...options];
  const program = new Program(command, {}, join(folder, 'redis.log'), core);
  await program.says(/Ready to accept connections/);
  return { program, port, url: `redis://127.0.0.1:${port}` };
}

/** What `npm start` gives to Node.js: V8's options, then the file. The peers have no options. */
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const START: readonly string[] = scripts.start.split(' ').slice(1);

/** Starts the gateway as its image does, with all its protections on. */
export async function startGateway(
  name: string,
  { upstream, folder }: Place,
  { node = [], env = {} }: { node?: readonly string[]; env?: Record<string, string> } = {},
): Promise<Running> {
  const settings = {
    ...environment(0, upstream),
    HOST: '127.0.0.1',
    ADMIN_PORT: '0',
    SHUTDOWN_DRAIN_MS: '0',
    // A bigger plan's quota: it is counted all the same, but does not end the calls here.
    COMETCHAT_CALLS_PER_MINUTE: '10000000',
    // As in the image, where every module is compiled once, when it is built.
    NODE_COMPILE_CACHE: join(folder, 'compile-cache'),
    ...env,
  };
  const command = [process.execPath, ...node, ...START];
  const program = new Program(command, settings, join(folder, `${name}.log`), CORES.measured);
  await program.says(/"msg":"ready"/);
  const [, origin = ''] = await program.says(/listening at (http:\/\/[\d.:]+)/);
  return { program, origin };
}
