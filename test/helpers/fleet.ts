import type { Test } from 'tap';
import { environment } from './environment.ts';
import { load, type Request, type Tally } from './load.ts';
import { startNginx } from './nginx.ts';
import { freePort } from './ports.ts';
import { Child } from './process.ts';
import { API_KEY } from './secrets.ts';
import { sign } from './tokens.ts';

/** Enough that hardly ever two requests of one user are under way. */
const USERS = 100;
const CONNECTIONS = 8;

/** A program that can be ended in any way and started again, on the same port. */
interface Part {
  readonly child: Child;
  /** Ends it as a crash would, without a word to anybody. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** Two gateways behind a real nginx, and a sandbox behind them, each a process of its own. */
export async function startFleet(t: Test, overrides: Record<string, string> = {}) {
  const [sandboxPort, ...ports] = [await freePort(), await freePort(), await freePort()] as const;
  const sandbox = await part(t, ['sandbox/main.ts'], /answers at/, {
    SANDBOX_PORT: String(sandboxPort),
    SANDBOX_USERS: String(USERS),
    COMETCHAT_API_KEY: API_KEY,
  });
  const gateway = (port: number) =>
    part(t, ['src/main.ts'], /"msg":"ready"/, {
      ...environment(`http://127.0.0.1:${sandboxPort}/v3`),
      PORT: String(port),
      RATE_LIMIT_PER_MINUTE: '1000000',
      COMETCHAT_CALLS_PER_MINUTE: '1000000',
      ...overrides,
    });
  const gateways = await Promise.all(ports.map(gateway));
  return { sandbox, gateways, origin: await startNginx(t, ports) };
}

async function part(t: Test, args: string[], ready: RegExp, env: Record<string, string>): Promise<Part> {
  const start = async () => {
    const child = new Child(t, args, env);
    await child.says(ready);
    return child;
  };
  let child = await start();
  return {
    get child() {
      return child;
    },
    async kill() {
      child.process.kill('SIGKILL');
      await child.exit();
    },
    async start() {
      child = await start();
    },
  };
}

/**
 * Lets users call all the time, each with tags of its own conversation.
 *
 * @param claims of their sessions, beside `sub`
 */
export async function users(t: Test, origin: string, claims: Record<string, unknown> = {}) {
  const exp = Math.floor(Date.now() / 1000) + 600;
  const requests = await Promise.all(
    Array.from({ length: USERS }, async (_, n): Promise<Request> => {
      const token = await sign({ sub: `cometchat-uid-${n + 1}`, exp, ...claims });
      return {
        method: 'PUT',
        path: '/me/conversations/tags',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ tags: ['a'], conversationWith: `cometchat-uid-${((n + 7) % USERS) + 1}` }),
      };
    }),
  );
  let isOver = false;
  function* endless() {
    for (let n = 0; !isOver; n += 1) yield requests[n % USERS] as Request;
  }
  const tally = load(origin, endless(), CONNECTIONS);
  /** Lets them end, and gives how often they were answered so. */
  const end = (): Promise<Tally> => {
    isOver = true;
    return tally;
  };
  t.teardown(end);
  return {
    end,
    /** How one of them is answered now. */
    answer: async () => {
      const { path = '', ...init } = requests[0] as Request;
      const response = await fetch(origin + path, init as RequestInit);
      const { code = 'ok' } = (await response.json()) as { code?: string };
      return { status: response.status, code };
    },
  };
}
