import {
  BOLD,
  box,
  CENTERED,
  type Chart,
  type Colour,
  EDGE,
  frame,
  GAP,
  HALO,
  line,
  TO_THE_LEFT,
  WIDTH,
  widest,
  write,
} from './svg.ts';

export interface Bar {
  /** None is drawn without. */
  readonly value?: number;
  readonly text: string;
  readonly colour: Colour;
  /** Where it should have ended at most. */
  readonly limit?: number;
}

export interface Panel {
  readonly title: string;
  readonly rows: readonly {
    readonly name: string;
    readonly isOurs?: boolean;
    readonly bars: readonly Bar[];
  }[];
}

export interface BarChart extends Chart {
  /** One below the other on one scale, or, with the same rows, beside each other. */
  readonly panels: readonly Panel[];
  readonly areBeside?: boolean;
  /** The unit of a logarithmic scale; without, the scale is linear and begins at 0. */
  readonly logUnit?: string;
}

const BAR = 13;
const BETWEEN_ROWS = 11;

interface Scale {
  readonly to: (value: number) => number;
  readonly ticks: readonly number[];
}

/** @param room for the longest bar and what is written behind it */
function scaleOf(panels: readonly Panel[], room: number, isLog: boolean): Scale {
  const bars = panels.flatMap(({ rows }) => rows.flatMap((row) => row.bars));
  const values = bars.flatMap(({ value, limit }) => [value ?? 0, limit ?? 0]).filter((value) => value > 0);
  const highest = Math.max(...values);
  const exponent = Math.max(-2, Math.floor(Math.log10(Math.min(...values))));
  const decades = Math.log10(highest) - exponent;
  const part = (value: number) => {
    if (value <= 0) return 0;
    return isLog ? Math.max(0, (Math.log10(value) - exponent) / decades) : value / highest;
  };
  const ends = bars.flatMap(({ value = 0, limit = 0, text }) =>
    [value, limit].map((end) => (room - widest([text]) - GAP) / part(end)),
  );
  const width = Math.min(room, ...ends);
  const ticks = isLog
    ? Array.from({ length: Math.floor(decades) + 1 }, (_, index) => 10 ** (exponent + index))
    : [];
  // Even nothing has to be seen.
  return { to: (value) => Math.max(1.5, part(value) * width), ticks };
}

/** Beyond this many times the least, the least cannot be seen. */
const MOST_LINEAR = 20;

/** @returns whether bars of these lengths can only be seen on a logarithmic scale */
export function needsLog(values: readonly number[]): boolean {
  const positive = values.filter((value) => value > 0);
  return Math.max(...positive) > MOST_LINEAR * Math.min(...positive);
}

/** @returns an SVG with horizontal bars, each with its value behind it */
export function barChart(chart: BarChart): string {
  const { panels, areBeside = false, logUnit } = chart;
  const names = panels.flatMap(({ rows }) => rows.map(({ name }) => name));
  const left = EDGE + widest(names) + 8;
  const columns = areBeside ? panels.length : 1;
  const column = (WIDTH - EDGE - left) / columns;
  return frame(chart, (top) => {
    const parts: string[] = [];
    let y = top;
    let end = top;
    const common = areBeside ? undefined : panels;
    for (const [index, panel] of panels.entries()) {
      const scale = scaleOf(common ?? [panel], column - (areBeside ? 20 : GAP), logUnit !== undefined);
      const x = left + (areBeside ? index * column : 0);
      if (areBeside) y = top;
      const drawn = drawPanel(panel, { x, y, scale, hasNames: !areBeside || index === 0, left });
      parts.push(...drawn.parts);
      y = drawn.end;
      end = Math.max(end, y);
      if (logUnit !== undefined && (areBeside || index === panels.length - 1)) {
        parts.push(
          ...scale.ticks.map((tick) =>
            write(x + scale.to(tick), y + 6, `${tick} ${logUnit}`, CENTERED, 'pale'),
          ),
        );
        end += 10;
      }
    }
    return [parts, end];
  });
}

interface Spot {
  readonly x: number;
  readonly y: number;
  readonly left: number;
  readonly scale: Scale;
  readonly hasNames: boolean;
}

function drawPanel(
  panel: Panel,
  { x, y: top, left, scale, hasNames }: Spot,
): { parts: string[]; end: number } {
  const bars: string[] = [];
  const titleHeight = panel.title === '' ? 0 : 22;
  const begin = top + titleHeight;
  let y = begin + 4;
  for (const { name, isOurs = false, bars: values } of panel.rows) {
    const middle = y + (values.length * BAR) / 2 + 4;
    if (hasNames) {
      bars.push(
        write(left - 8, middle, name, TO_THE_LEFT + (isOurs ? BOLD : ''), isOurs ? 'strong' : 'text'),
      );
    }
    for (const bar of values) {
      bars.push(...drawBar(bar, x, y, scale));
      y += BAR;
    }
    y += BETWEEN_ROWS;
  }
  const end = y - BETWEEN_ROWS + 4;
  return {
    parts: [
      ...(panel.title === '' ? [] : [write(x, top + 12, panel.title, BOLD, 'strong')]),
      ...scale.ticks.map((tick) => line(x + scale.to(tick), begin, x + scale.to(tick), end, 'grid')),
      line(x, begin, x, end, 'axis'),
      ...bars,
    ],
    end: end + 14,
  };
}

function drawBar({ value, text, colour, limit }: Bar, x: number, y: number, scale: Scale): string[] {
  const length = value === undefined ? 0 : scale.to(value);
  let behind = x + length + GAP;
  const parts = value === undefined ? [] : [box(x, y + 0.5, length, BAR - 1, colour)];
  if (limit !== undefined) {
    const mark = x + scale.to(limit);
    if (mark > behind - GAP && mark < behind + widest([text])) behind = mark + GAP;
    parts.push(line(mark, y - 2, mark, y + BAR + 2, 'strong', ' stroke-width="2"'));
  }
  return [...parts, write(behind, y + 10.5, text, '', HALO)];
}
