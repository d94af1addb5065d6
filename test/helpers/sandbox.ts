import type { Test } from 'tap';
import type { SandboxOptions } from '../../sandbox/options.ts';
import { Sandbox } from '../../sandbox/server.ts';
import { API_KEY } from './secrets.ts';

/** Starts a sandbox that takes the gateway's key, for the length of a test. */
export async function startSandbox(t: Test, options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  const sandbox = await Sandbox.start({ apiKey: API_KEY, ...options });
  t.teardown(() => sandbox.close());
  return sandbox;
}
