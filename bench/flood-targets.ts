import { excess, inTimes, inWhole, milliseconds, ratio } from './format.ts';
import type { Flood } from './results.ts';
import type { Target } from './targets.ts';

export const MOST_FLOODED = 3;
/** Beyond it a flood takes a whole processor to refuse, and only losses count. */
const MOST_FLOOD_WITH_LATENCY = 5000;

export const floodTargets = (floods: readonly Flood[]): Target[] => [
  ...floods.filter(hasLatencyTarget).map(floodTarget),
  ...lossTarget(floods),
];

export const floodId = ({ kind, perSecond }: Flood): string => `flood ${perSecond} ${kind}`;
export const hasLatencyTarget = ({ perSecond }: Flood): boolean => perSecond <= MOST_FLOOD_WITH_LATENCY;

const lostOf = ({ flooded }: Flood): number => flooded.sent - flooded.answered;

function floodTarget(flood: Flood): Target {
  const { kind, perSecond, quiet, flooded } = flood;
  const lost = lostOf(flood);
  const slower = excess(flooded.p99.median / quiet.p99.median - MOST_FLOODED, inTimes, 0.01);
  const parts = [lost > 0 ? `${inWhole(lost)} lost` : undefined, slower];
  return {
    id: floodId(flood),
    wanted: `Beside ${inWhole(perSecond)} bad requests/s (${kind}): no good request lost, and their p99 at most ${MOST_FLOODED}× the quiet one`,
    result: `${inWhole(lost)} lost; ${ratio(flooded.p99, quiet.p99)}: ${milliseconds(flooded.p99.median)} to ${milliseconds(quiet.p99.median)}`,
    missedBy: parts.filter((part) => part !== undefined).join(' and ') || undefined,
  };
}

function lossTarget(floods: readonly Flood[]): Target[] {
  const heavy = floods.filter((flood) => !hasLatencyTarget(flood));
  const [first] = heavy;
  if (!first) return [];
  const sent = heavy.reduce((sum, { flooded }) => sum + flooded.sent, 0);
  const lost = heavy.reduce((sum, flood) => sum + lostOf(flood), 0);
  return [
    {
      id: 'loss',
      wanted: `Beside ${inWhole(first.perSecond)} bad requests/s of any kind: no good request lost`,
      result: `${inWhole(lost)} of ${inWhole(sent)} lost`,
      missedBy: excess(lost, (count) => `${inWhole(count)} requests`, 1),
    },
  ];
}
