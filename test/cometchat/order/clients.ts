import type { Clock } from '../../../src/base/clock.ts';
import type { Result } from '../../../src/cometchat/call.ts';
import { NEVER, type Write } from './history.ts';
import type { Scenario } from './scenario.ts';

interface Clients {
  /** How many gateways there are. */
  readonly replicas: number;
  readonly clock: Clock;
  /** What the times of the scenario are multiplied by. */
  readonly scale?: number;
  /** Writes to one of the gateways, until `gone` is aborted. */
  readonly send: (replica: number, tag: number, gone: AbortSignal) => Promise<Result<unknown>>;
}

/** Sends the writes of a scenario at their times, and waits for the end of all. @returns what their clients have seen */
export async function playClients(
  scenario: Scenario,
  { replicas, clock, scale = 1, send }: Clients,
): Promise<Write[]> {
  const writes: Write[] = [];
  const ends: Promise<void>[] = [];
  const after = (ms: number, callback: () => void) => clock.after(ms * scale, callback);
  for (const [number, { gapMs, replica, repeats, leavesMs }] of scenario.writes.entries()) {
    if (gapMs > 0) await new Promise<void>((resolve) => after(gapMs, resolve));
    const write: Write = {
      tag: writes[number - repeats]?.tag ?? number,
      replica: replica % replicas,
      sent: clock.now(),
      answered: NEVER,
      result: undefined,
    };
    writes.push(write);
    const client = new AbortController();
    if (leavesMs !== null) after(leavesMs, () => client.abort(null));
    const end = async () => {
      write.result = await send(write.replica, write.tag, client.signal);
      if (!client.signal.aborted) write.answered = clock.now();
    };
    ends.push(end());
  }
  await Promise.all(ends);
  return writes;
}
