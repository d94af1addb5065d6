export const COLOURS = {
  gateway: '#2563eb',
  gatewayPale: '#93c5fd',
  other: '#64748b',
  otherPale: '#cbd5e1',
  missed: '#dc2626',
  limit: '#475569',
  part: '#dbeafe',
} as const;

/** What every chart has. */
interface Chart {
  readonly title: string;
  /** What it shows, for those who cannot see it. */
  readonly label: string;
  readonly key?: readonly { readonly colours: readonly string[]; readonly text: string }[];
}

export interface Bar {
  /** None is drawn without. */
  readonly value?: number;
  readonly text: string;
  readonly colour: string;
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

export interface LineChart extends Chart {
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly yUnit: string;
  readonly xTitle: string;
  readonly limit: { readonly y: number; readonly colour: string };
  /** Parts of the points, by their indices, that have something written below them. */
  readonly parts: readonly { readonly from: number; readonly to: number; readonly text: string }[];
}

const WIDTH = 800;
const EDGE = 24;
const BAR = 13;
const BETWEEN_ROWS = 11;
const GAP = 6;
const PAPER = '#f8fafc';
const INK = { strong: '#0f172a', text: '#334155', pale: '#475569', grid: '#e2e8f0', axis: '#94a3b8' };
/** Of one letter at 12 px, in a wide font: whoever looks has another one than we do. */
const LETTER = 7;

const escapeXml = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
const at = (value: number) => Number(value.toFixed(1));
const widest = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length)) * LETTER;
const line = (x1: number, y1: number, x2: number, y2: number, colour: string, more = '') =>
  `<path d="M${at(x1)} ${at(y1)}L${at(x2)} ${at(y2)}" fill="none" stroke="${colour}"${more}/>`;
const box = (x: number, y: number, width: number, height: number, colour: string, radius = 2) =>
  `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="${radius}" fill="${colour}"/>`;

function write(x: number, y: number, text: string, more = '', colour = INK.text): string {
  return `<text x="${at(x)}" y="${at(y)}" fill="${colour}"${more}>${escapeXml(text)}</text>`;
}
/** Keeps the lines of the grid out of the text. */
const HALO = ` stroke="${PAPER}" stroke-width="4" paint-order="stroke"`;
const BOLD = ' font-weight="600"';
const TO_THE_LEFT = ' text-anchor="end"';
const CENTERED = ' text-anchor="middle"';

/** @param draw gives what is below the title and the key, from a height on, and where it ends */
function frame({ title, label, key = [] }: Chart, draw: (top: number) => [string[], number]): string {
  const parts = [write(EDGE, 36, title, `${BOLD} font-size="15"`, INK.strong)];
  let x = EDGE;
  for (const { colours, text } of key) {
    for (const colour of colours) {
      parts.push(box(x, 51, 12, 12, colour));
      x += 14;
    }
    if (colours.length > 0) x += 4;
    parts.push(write(x, 61, text, '', INK.pale));
    x += widest([text]) + 16;
  }
  const [drawn, end] = draw(key.length > 0 ? 82 : 56);
  const height = at(end + EDGE - 4);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escapeXml(label)}" font-family="system-ui, sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" rx="12" fill="${PAPER}"/>`,
    ...parts,
    ...drawn,
    '</svg>',
  ].join('\n')}\n`;
}

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
            write(x + scale.to(tick), y + 6, `${tick} ${logUnit}`, CENTERED, INK.pale),
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
        write(left - 8, middle, name, TO_THE_LEFT + (isOurs ? BOLD : ''), isOurs ? INK.strong : INK.text),
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
      ...(panel.title === '' ? [] : [write(x, top + 12, panel.title, BOLD, INK.strong)]),
      ...scale.ticks.map((tick) => line(x + scale.to(tick), begin, x + scale.to(tick), end, INK.grid)),
      line(x, begin, x, end, INK.axis),
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
    parts.push(line(mark, y - 2, mark, y + BAR + 2, INK.strong, ' stroke-width="2"'));
  }
  return [...parts, write(behind, y + 10.5, text, HALO)];
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
        box(xOf(from), top, xOf(to) - xOf(from), PLOT_HEIGHT, COLOURS.part, 0),
        write((xOf(from) + xOf(to)) / 2, bottom - 12, text, CENTERED),
      ]),
      ...roundTicks(highest, 5).flatMap((tick) => [
        line(left, y(tick), right, y(tick), tick === 0 ? INK.axis : INK.grid),
        write(left - 8, y(tick) + 4, `${tick} ${yUnit}`, TO_THE_LEFT, INK.pale),
      ]),
      ...roundTicks(last[0], 5).map((tick) =>
        write(x(tick), bottom + 18, tick.toLocaleString('en-US'), CENTERED, INK.pale),
      ),
      write((left + right) / 2, bottom + 38, xTitle, CENTERED, INK.pale),
      line(left, y(limit.y), right, y(limit.y), limit.colour, ' stroke-width="1.5" stroke-dasharray="6 4"'),
      `<path d="${path}" fill="none" stroke="${COLOURS.gateway}" stroke-width="2" stroke-linejoin="round"/>`,
    ];
    return [drawn, bottom + 38];
  });
}
