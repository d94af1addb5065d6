import { parseArgs } from 'node:util';
import { parseOrigins } from '../../src/http/cors.ts';

const USAGE = 'usage: npm run demo -- [--once] [--port <n>] [--cors <origin>,...]';

export interface DemoOptions {
  /** Whether the demo ends by itself. */
  readonly once: boolean;
  /** The gateway's port, where it must be this one. */
  readonly port: number | undefined;
  /** Whose pages may call the gateway, beside the demo's own. */
  readonly origins: readonly string[];
}

/** Reads the words behind `npm run demo --`. Wrong ones end the process with EX_USAGE. */
export function readOptions(args: readonly string[]): DemoOptions {
  try {
    if (process.env.CORS_ORIGINS)
      throw new Error('The demo does not read CORS_ORIGINS: unset it, and use --cors');
    const { once, port, cors } = parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean', default: false },
        port: { type: 'string' },
        cors: { type: 'string', multiple: true, default: [] },
      },
    }).values;
    return { once, port: port === undefined ? undefined : parsePort(port), origins: parseCors(cors) };
  } catch (error) {
    // parseArgs explains itself at length behind its first sentence.
    const [reason = ''] = (error as Error).message.split('. ');
    process.stderr.write(`${reason}\n${USAGE}\n`);
    process.exit(64);
  }
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error('--port must be a number from 0 to 65535');
  return port;
}

/** The rule is that of CORS_ORIGINS. */
function parseCors(lists: readonly string[]): string[] {
  try {
    return lists.length === 0 ? [] : [...parseOrigins(lists.join())];
  } catch (error) {
    throw new Error(`--cors ${(error as Error).message}`);
  }
}
