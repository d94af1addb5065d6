/** @returns the items of a comma-separated list, without the white space around them */
export const itemsOf = (text: string): string[] => text.split(',').map((item) => item.trim());

/**
 * Reads a comma-separated list.
 *
 * @param must the rule for every item, as in "must ..."
 * @throws Error that says the rule and which item breaks it, and never repeats the item
 */
export function parseList(text: string, isRight: (item: string) => boolean, must: string): string[] {
  const items = itemsOf(text);
  const wrong = items.findIndex((item) => !isRight(item));
  if (wrong >= 0) throw new Error(`must ${must}; item ${wrong + 1} is wrong`);
  return items;
}
