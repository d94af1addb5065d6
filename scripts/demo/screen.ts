import { stripVTControlCharacters, styleText } from 'node:util';

/** Three columns are left of it, and a terminal has 100 of them or more. */
const WIDTH = 97;

/** Prints a part of the demo: a heading, and the lines below it. */
export function part(sign: string, title: string, lines: readonly string[]): void {
  const head = styleText(['bold', 'cyan'], `${sign}  ${title}`);
  process.stdout.write(`\n${head}\n${lines.map((line) => `   ${line}\n`).join('')}`);
}

/** A body as lines, which are cut after so many. What is no JSON is shown as a string. */
export function body(text: string, most = Number.POSITIVE_INFINITY): string[] {
  const lines = pretty(parsed(text)).flatMap(fold);
  const left = lines.length - most;
  return left > 1 ? [...lines.slice(0, most), `… ${left} more lines`] : lines;
}

/** Breaks a long line between the fields of its JSON, or between its words. */
export function fold(line: string): string[] {
  const done: string[] = [];
  let last = '';
  for (const piece of line.split(/(?<= )|(?<=,)(?=")/)) {
    const longer = last + piece;
    if (last === '' || stripVTControlCharacters(longer).trimEnd().length <= WIDTH) {
      last = longer;
    } else {
      done.push(last.trimEnd());
      last = `  ${piece}`;
    }
  }
  return [...done, last.trimEnd()];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** JSON that has an object or list on one line where it fits, and else each of its members on lines of their own. */
function pretty(value: unknown, begin = '', end = '', room = WIDTH): string[] {
  // Strings have no line breaks of their own in JSON.
  const flat = JSON.stringify(value, null, 1)
    .replace(/(?<=[[{])\n *|\n *(?=[\]}])/g, '')
    .replace(/\n */g, ' ');
  const line = begin + flat + end;
  if (line.length <= room || typeof value !== 'object' || value === null) return [line];
  const isList = Array.isArray(value);
  const [open, close] = isList ? '[]' : '{}';
  const members = Object.entries(value);
  const lines = members.flatMap(([name, member], index) =>
    pretty(
      member,
      isList ? '' : `${JSON.stringify(name)}: `,
      index < members.length - 1 ? ',' : '',
      room - 2,
    ),
  );
  return [`${begin}${open}`, ...lines.map((one) => `  ${one}`), `${close}${end}`];
}
