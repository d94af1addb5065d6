import type { Name } from '../sandbox/catalogue.ts';
import type { LinkState } from '../sandbox/link.ts';

/** What CometChat is like for a while. */
export interface Phase {
  readonly name: string;
  readonly seconds: number;
  /** Which part of the calls meets a fault of any kind. */
  readonly share?: number;
  readonly link?: LinkState;
  /** Faults that are met once, as the phase begins. */
  readonly first?: readonly Name[];
  /** Most calls fail: retries must not make more of them. */
  readonly outage?: true;
}

/** Longer than it takes until all are served again, so that each outage is met anew. */
const RECOVERING: Phase = { name: 'recovering', seconds: 6 };

const CYCLE: readonly Phase[] = [
  { name: 'some faults', seconds: 27, share: 0.08 },
  { name: 'many faults', seconds: 5, share: 0.6, outage: true },
  RECOVERING,
  { name: 'link refused', seconds: 3, link: 'refused', outage: true },
  RECOVERING,
  { name: 'link hung', seconds: 3, link: 'hung', outage: true },
  RECOVERING,
  // Each of these closes the whole app's quota, or a key, so they are not among the others.
  { name: 'quota and key', seconds: 4, first: ['rate-limited-seconds', 'key-refused'] },
];
const CYCLE_SECONDS = CYCLE.reduce((sum, { seconds }) => sum + seconds, 0);

/** The end of every run, in which all that went wrong can settle. */
const LAST: Phase = { name: 'last, quiet', seconds: 10 };

/** The phases by name, in their order. */
export const PHASES: readonly Phase[] = [...CYCLE, LAST];

/** When CometChat is back after an outage, all are served within this, in milliseconds. */
export const BACK_MS = 2000;

/**
 * Decides what a moment of the run is like: the phases of a minute come again and again, and a run that is shorter
 * has them all, shorter.
 *
 * @param second since the start
 * @param seconds of the whole run
 */
export function phaseAt(second: number, seconds: number): Phase {
  const faulty = seconds - LAST.seconds;
  if (second >= faulty) return LAST;
  const scale = Math.min(1, faulty / CYCLE_SECONDS);
  let left = (second / scale) % CYCLE_SECONDS;
  for (const phase of CYCLE) {
    left -= phase.seconds;
    if (left < 0) return phase;
  }
  return LAST;
}
