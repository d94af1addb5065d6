import { KINDS, type Kind } from './calls.ts';
import { PHASES, type Phase } from './phases.ts';

const EXAMPLES = 5;

/** Requests, and those of them that got a 200. A request counts where it was sent. */
export interface Counts {
  sent: number;
  ok: number;
}

export interface PhaseCounts extends Counts {
  /** Calls that CometChat got, and those that it would have got without retries and failures. */
  calls: number;
  due: number;
}

/** How many calls of CometChat's each kind takes. */
const CALLS: Readonly<Record<Kind, number>> = { PUT: 1, PATCH: 2, 'GET tags': 1, 'GET list': 1 };

/** What came back, in numbers. */
export class Tally {
  sent = 0;
  /** Their clients did not wait. */
  left = 0;
  /** The connection broke, or there was no answer at all. */
  readonly lost = new Map<string, number>();
  /** How often each kind of answer came. */
  readonly results = new Map<string, number>();
  /** The first answers of an unknown form. */
  readonly odd: string[] = [];
  /** How long each answer took, in milliseconds. */
  readonly times: number[] = [];
  slowest = 0;
  /** Requests that were sent when CometChat had been back for a while, and those of them that the circuit refused. */
  readonly recovered = { sent: 0, refused: 0 };
  readonly kinds = new Map<Kind, Counts>(KINDS.map((kind) => [kind, { sent: 0, ok: 0 }]));
  readonly phases = new Map<string, PhaseCounts>(
    PHASES.map(({ name }) => [name, { sent: 0, ok: 0, calls: 0, due: 0 }]),
  );

  /** What is counted of a phase. */
  phase({ name }: Phase): PhaseCounts {
    return this.phases.get(name) as PhaseCounts;
  }

  /** Counts a request. @returns where its 200 is counted */
  begin(kind: Kind, phase: Phase): Counts[] {
    this.sent += 1;
    this.phase(phase).due += CALLS[kind];
    const counts = [this.kinds.get(kind) as Counts, this.phase(phase)];
    for (const count of counts) count.sent += 1;
    return counts;
  }

  /** Counts an answer. @param text for whoever looks into an odd one */
  answered(result: string, ms: number, text: string): void {
    this.times.push(ms);
    this.slowest = Math.max(this.slowest, ms);
    add(this.results, result);
    if (result === 'odd' && this.odd.length < EXAMPLES) this.odd.push(text.slice(0, 300));
  }

  unanswered(error: string, hasLeft: boolean): void {
    if (hasLeft) this.left += 1;
    else add(this.lost, error);
  }

  result(name: string): number {
    return this.results.get(name) ?? 0;
  }
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
