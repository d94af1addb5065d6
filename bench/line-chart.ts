import {
  at,
  box,
  CENTERED,
  type Chart,
  type Colour,
  EDGE,
  frame,
  line,
  TO_THE_LEFT,
  WIDTH,
  write,
} from './svg.ts';

export interface LineChart extends Chart {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly yUnit: string;
  readonly xTitle: string;
  readonly limit: { readonly y: number; readonly colour: Colour };
  /** Parts of the points, by their indices, that have something written below them. */
  readonly parts: readonly { readonly from: number; readonly to: number; readonly text: string }[];
}

const PLOT_HEIGHT = 220;
const STEPS = [1, 2, 2.5, 5, 10];

/** At most so many round numbers from 0 to somewhat less than the highest. */
function roundTicks(highest: number, count: number): number[] {
  const rough = highest / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = (STEPS.find((factor) => factor * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, index) => index * step);
}

/** @returns an SVG with one line, and a limit that it should stay below */
export function lineChart(chart: LineChart): string {
  const { points, limit, parts, yUnit, xTitle } = chart;
  const last = points.at(-1) ?? [0, 0];
  const highest = Math.max(limit.y, ...points.map(([, y]) => y)) * 1.15;
  const left = EDGE + 56;
  const right = WIDTH - EDGE - 16;
  return frame(chart, (top) => {
    const bottom = top + PLOT_HEIGHT;
    const x = (value: number) => left + (value / last[0]) * (right - left);
    const y = (value: number) => bottom - (value / highest) * PLOT_HEIGHT;
    const xOf = (index: number) => x(points[Math.max(0, Math.min(index, points.length - 1))]?.[0] ?? 0);
    const path = points.map(([a, b], index) => `${index === 0 ? 'M' : 'L'}${at(x(a))} ${at(y(b))}`).join('');
    const drawn = [
      ...parts.flatMap(({ from, to, text }) => [
        box(xOf(from), top, xOf(to) - xOf(from), PLOT_HEIGHT, 'part', 0),
        write((xOf(from) + xOf(to)) / 2, bottom - 12, text, CENTERED),
      ]),
      ...roundTicks(highest, 5).flatMap((tick) => [
        line(left, y(tick), right, y(tick), tick === 0 ? 'axis' : 'grid'),
        write(left - 8, y(tick) + 4, `${tick} ${yUnit}`, TO_THE_LEFT, 'pale'),
      ]),
      ...roundTicks(last[0], 5).map((tick) =>
        write(x(tick), bottom + 18, tick.toLocaleString('en-US'), CENTERED, 'pale'),
      ),
      write((left + right) / 2, bottom + 38, xTitle, CENTERED, 'pale'),
      line(left, y(limit.y), right, y(limit.y), limit.colour, ' stroke-width="1.5" stroke-dasharray="6 4"'),
      `<path class="gateway" d="${path}" stroke-width="2" stroke-linejoin="round"/>`,
    ];
    return [drawn, bottom + 38];
  });
}
