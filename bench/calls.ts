import type { Running } from './contestants.ts';
import { Load } from './load.ts';
import { CALLS, type Call, type Measured } from './results.ts';
import { FIRST_WARM_UP, saturate } from './rounds.ts';
import { spreadOf } from './statistics.ts';
import { callsOf } from './users.ts';

interface Score {
  readonly perSecond: number;
  readonly processorMicroseconds: number;
}

const NAMES = Object.keys(CALLS) as Call[];

/** Saturates a gateway with one kind of its calls after the other, in turn, so that each is held against the PUT beside it. */
export async function measureCalls(
  { program, origin }: Running,
  rounds: number,
  say: (text: string) => void,
): Promise<Measured['calls']> {
  const requests = await callsOf('caller');
  const loads = new Map(NAMES.map((name) => [name, new Load(origin, requests[name])]));
  for (const [name, load] of loads) {
    say(`warming up: ${name}`);
    await load.saturate({ requests: FIRST_WARM_UP });
  }
  const scores: Record<Call, Score>[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const inRound: Partial<Record<Call, Score>> = {};
    for (const [name, load] of loads) {
      say(`calls, round ${round} of ${rounds}: ${name}`);
      inRound[name] = await saturate(name, load, program, say);
    }
    scores.push(inRound as Record<Call, Score>);
  }
  await Promise.all([...loads.values()].map((load) => load.close()));
  return Object.fromEntries(NAMES.map((name) => [name, summary(name, scores)]));
}

function summary(name: Call, scores: readonly Record<Call, Score>[]) {
  const each = (of: keyof Score) => spreadOf(scores.map((round) => round[name][of]));
  const toPut = (of: keyof Score) => spreadOf(scores.map((round) => round[name][of] / round.PUT[of]));
  return {
    perSecond: each('perSecond'),
    processorMicroseconds: each('processorMicroseconds'),
    toPut: { perSecond: toPut('perSecond'), processor: toPut('processorMicroseconds') },
  };
}
