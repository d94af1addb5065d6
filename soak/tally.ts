import { PHASES, type Phase } from './phases.ts';

const EXAMPLES = 5;

/** What is counted of each phase; a request counts where it was sent. */
export interface PhaseCounts {
  sent: number;
  ok: number;
  calls: number;
}

/** What came back, in numbers. */
export class Tally {
  sent = 0;
  ok = 0;
  /** Their clients did not wait. */
  left = 0;
  /** The connection broke, or there was no answer at all. */
  readonly lost = new Map<string, number>();
  readonly problems = new Map<string, number>();
  /** Answers of an unknown form: the first of them, and how many there were. */
  readonly odd: string[] = [];
  oddCount = 0;
  /** How long each answer took, in milliseconds. */
  readonly times: number[] = [];
  slowest = 0;
  /** Requests that were sent when CometChat had been back for a while, and those of them that the circuit refused. */
  readonly recovered = { sent: 0, refused: 0 };
  readonly phases = new Map<string, PhaseCounts>(
    PHASES.map(({ name }) => [name, { sent: 0, ok: 0, calls: 0 }]),
  );

  /** What is counted of a phase. */
  phase({ name }: Phase): PhaseCounts {
    return this.phases.get(name) as PhaseCounts;
  }

  /** Counts an answer. @returns what it was, in a word */
  answered(status: number, contentType: string | undefined, body: string, ms: number): string {
    this.times.push(ms);
    this.slowest = Math.max(this.slowest, ms);
    const document = parse(body);
    if (status === 200 && Array.isArray(document.conversations)) {
      this.ok += 1;
      return '200';
    }
    const { code } = document;
    if (status >= 400 && contentType?.startsWith('application/problem+json') && typeof code === 'string') {
      this.problems.set(code, (this.problems.get(code) ?? 0) + 1);
      return code;
    }
    this.oddCount += 1;
    if (this.odd.length < EXAMPLES) this.odd.push(`${status} ${contentType}: ${body.slice(0, 200)}`);
    return 'odd';
  }
}

function parse(body: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(body));
  } catch {
    return {};
  }
}
