/** The colours by name, each in the light scheme and in the dark one. */
const COLOURS = {
  paper: ['#f8fafc', '#0d1117'],
  gateway: ['#2563eb', '#58a6ff'],
  gatewayPale: ['#93c5fd', '#31659f'],
  other: ['#64748b', '#8b949e'],
  otherPale: ['#cbd5e1', '#5b6470'],
  missed: ['#dc2626', '#f85149'],
  limit: ['#475569', '#b1bac4'],
  part: ['#dbeafe', '#11294a'],
  strong: ['#0f172a', '#f0f6fc'],
  text: ['#334155', '#d1d7e0'],
  pale: ['#475569', '#b1bac4'],
  grid: ['#e2e8f0', '#272e38'],
  axis: ['#94a3b8', '#656c76'],
} as const;
export type Colour = keyof typeof COLOURS;

/** What every chart has. */
export interface Chart {
  readonly title: string;
  /** What it shows, for those who cannot see it. */
  readonly label: string;
  readonly key?: readonly { readonly colours: readonly Colour[]; readonly text: string }[];
}

export const WIDTH = 800;
export const EDGE = 24;
export const GAP = 6;
/** Of one letter at 12 px, in a wide font: whoever looks has another one than we do. */
const LETTER = 7;

const escapeXml = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
export const at = (value: number) => Number(value.toFixed(1));
export const widest = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length)) * LETTER;
export const line = (x1: number, y1: number, x2: number, y2: number, colour: Colour, more = '') =>
  `<path class="${colour}" d="M${at(x1)} ${at(y1)}L${at(x2)} ${at(y2)}"${more}/>`;
export const box = (x: number, y: number, width: number, height: number, colour: Colour, radius = 2) =>
  `<rect class="${colour}" x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="${radius}"/>`;

/** Of text that lines of the grid may cross. */
export const HALO = 'text halo';

export function write(
  x: number,
  y: number,
  text: string,
  more = '',
  colour: Colour | typeof HALO = 'text',
): string {
  return `<text class="${colour}" x="${at(x)}" y="${at(y)}"${more}>${escapeXml(text)}</text>`;
}
export const BOLD = ' font-weight="600"';
export const TO_THE_LEFT = ' text-anchor="end"';
export const CENTERED = ' text-anchor="middle"';

/** One scheme: 0 is light, 1 is dark. */
const coloursIn = (scheme: 0 | 1): string[] => [
  ...Object.entries(COLOURS).map(([name, ofSchemes]) => `.${name} { color: ${ofSchemes[scheme]} }`),
  `.halo { stroke: ${COLOURS.paper[scheme]} }`,
];

/** An image has no style but its own. */
const STYLE = [
  '<style>',
  'rect, text { fill: currentColor }',
  'path { fill: none; stroke: currentColor }',
  '.halo { stroke-width: 4; paint-order: stroke }',
  ...coloursIn(0),
  '@media (prefers-color-scheme: dark) {',
  ...coloursIn(1),
  '}',
  '</style>',
];

/** @param draw gives what is below the title and the key, from a height on, and where it ends */
export function frame({ title, label, key = [] }: Chart, draw: (top: number) => [string[], number]): string {
  const parts = [write(EDGE, 36, title, `${BOLD} font-size="15"`, 'strong')];
  let x = EDGE;
  for (const { colours, text } of key) {
    for (const colour of colours) {
      parts.push(box(x, 51, 12, 12, colour));
      x += 14;
    }
    if (colours.length > 0) x += 4;
    parts.push(write(x, 61, text, '', 'pale'));
    x += widest([text]) + 16;
  }
  const [drawn, end] = draw(key.length > 0 ? 82 : 56);
  const height = at(end + EDGE - 4);
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<desc>${escapeXml(label)}</desc>`,
    ...STYLE,
    box(0, 0, WIDTH, height, 'paper', 12),
    ...parts,
    ...drawn,
    '</svg>',
  ].join('\n')}\n`;
}
