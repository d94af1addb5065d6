/** @returns the rows below their heads, in columns as wide as what is in them */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}

/** @returns the counts as text, the greatest first */
export const counts = (all: ReadonlyMap<string, number>): string =>
  [...all]
    .toSorted(([, one], [, other]) => other - one)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

export const sum = (numbers: Iterable<number>): number => [...numbers].reduce((all, one) => all + one, 0);
