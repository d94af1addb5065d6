import type { Clock } from '../../../src/base/clock.ts';
import type { Result } from '../../../src/cometchat/call.ts';
import { ending, NEVER, type Timeline, told, type Write } from './history.ts';
import type { Scenario } from './scenario.ts';

/** No deadline is as long. */
const LONGEST_MS = 30_000;

interface Clients {
  /** How many gateways there are. */
  readonly replicas: number;
  readonly clock: Clock;
  readonly timeline: Timeline;
  /** What the times of the scenario are multiplied by. */
  readonly scale?: number;
  /** Sends one to its gateway, until `gone` is aborted. */
  readonly send: (write: Write, gone: AbortSignal) => Promise<Result<unknown>>;
}

/** Sends the writes of a scenario at their times, and waits until all are answered. @returns what their clients have seen */
export async function playClients(
  scenario: Scenario,
  { replicas, clock, timeline, scale = 1, send }: Clients,
): Promise<Write[]> {
  const writes: Write[] = [];
  const ends: Promise<void>[] = [];
  const after = (ms: number, callback: () => void) => clock.after(ms * scale, callback);
  for (const [number, { gapMs, replica, repeats, leavesMs, ...own }] of scenario.writes.entries()) {
    if (gapMs > 0) await new Promise<void>((resolve) => after(gapMs, resolve));
    const { tag, change } = writes[number - repeats] ?? {
      tag: number,
      change: own.change ?? { kind: 'replace', tags: [String(number)] },
    };
    const write: Write = {
      tag,
      change: structuredClone(change),
      replica: replica % replicas,
      sent: clock.now(),
      answered: NEVER,
      result: undefined,
    };
    writes.push(write);
    timeline.tell(`write ${number}, ${told(change)}, comes to gateway ${write.replica}`);
    const client = new AbortController();
    const leave = () => {
      if (!write.result) timeline.tell(`the client of write ${number} leaves`);
      client.abort(null);
    };
    if (leavesMs !== null) after(leavesMs, leave);
    const end = async () => {
      write.result = await send(write, client.signal);
      timeline.tell(`write ${number} ends: ${ending(write.result)}`);
      if (!client.signal.aborted) write.answered = clock.now();
    };
    ends.push(end());
  }
  const over = new AbortController();
  await Promise.race([Promise.all(ends), clock.wait(LONGEST_MS, over.signal)]);
  over.abort();
  return writes;
}
