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
export interface Chart {
  readonly title: string;
  /** What it shows, for those who cannot see it. */
  readonly label: string;
  readonly key?: readonly { readonly colours: readonly string[]; readonly text: string }[];
}

export const WIDTH = 800;
export const EDGE = 24;
export const GAP = 6;
const PAPER = '#f8fafc';
export const INK = { strong: '#0f172a', text: '#334155', pale: '#475569', grid: '#e2e8f0', axis: '#94a3b8' };
/** Of one letter at 12 px, in a wide font: whoever looks has another one than we do. */
const LETTER = 7;

const escapeXml = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);
export const at = (value: number) => Number(value.toFixed(1));
export const widest = (texts: readonly string[]) => Math.max(0, ...texts.map((text) => text.length)) * LETTER;
export const line = (x1: number, y1: number, x2: number, y2: number, colour: string, more = '') =>
  `<path d="M${at(x1)} ${at(y1)}L${at(x2)} ${at(y2)}" fill="none" stroke="${colour}"${more}/>`;
export const box = (x: number, y: number, width: number, height: number, colour: string, radius = 2) =>
  `<rect x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(height)}" rx="${radius}" fill="${colour}"/>`;

export function write(x: number, y: number, text: string, more = '', colour = INK.text): string {
  return `<text x="${at(x)}" y="${at(y)}" fill="${colour}"${more}>${escapeXml(text)}</text>`;
}
/** Keeps the lines of the grid out of the text. */
export const HALO = ` stroke="${PAPER}" stroke-width="4" paint-order="stroke"`;
export const BOLD = ' font-weight="600"';
export const TO_THE_LEFT = ' text-anchor="end"';
export const CENTERED = ' text-anchor="middle"';

/** @param draw gives what is below the title and the key, from a height on, and where it ends */
export function frame({ title, label, key = [] }: Chart, draw: (top: number) => [string[], number]): string {
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
