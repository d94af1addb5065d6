/**
 * Reads a comma-separated list.
 *
 * @param must the rule for every item, as in "must ..."
 * @throws Error that says the rule and which item breaks it, and never repeats the item
 */
export function parseList(text: string, isRight: (item: string) => boolean, must: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  const wrong = items.findIndex((item) => !isRight(item));
  if (wrong >= 0) throw new Error(`must ${must}; item ${wrong + 1} is wrong`);
  return items;
}
