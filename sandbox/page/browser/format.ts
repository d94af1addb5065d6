import type { Conversation } from 'cometchat-gateway-client';

export const idOf = ({ conversationWith }: Conversation): string =>
  'uid' in conversationWith ? conversationWith.uid : conversationWith.guid;

/** The name of a conversation in the timeline. */
export const aboutOf = (conversation: Conversation): string =>
  `${conversation.conversationType} ${idOf(conversation)}`;

export const nameOf = (conversation: Conversation): string =>
  conversation.conversationWith.name ?? idOf(conversation);

/** @returns a letter each of the first two words, or the number that the name ends with */
export const initials = (name: string): string => {
  const words = name.split(/\s+/).filter((word) => word !== '');
  const last = words.at(-1) ?? '';
  if (/^\d{1,3}$/.test(last)) return last;
  return words
    .slice(0, 2)
    .map(([first = '']) => first.toUpperCase())
    .join('');
};

/** @returns the text, which lets what is around it stand as it is, though it may be written from right to left */
export const isolated = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text) ? text : `\u2068${text}\u2069`;

/** @returns one of so many numbers, always the same for the same text */
export const hash = (text: string, size: number): number =>
  [...text].reduce((sum, char) => (sum * 31 + (char.codePointAt(0) ?? 0)) % 9973, 7) % size;

export const bytes = (text: string): string => {
  const { length } = new TextEncoder().encode(text);
  return length < 1000 ? `${length} B` : `${(length / 1000).toFixed(1)} kB`;
};

export const duration = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);

export const timeOfDay = (at: number): string =>
  new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** @returns the beginning of a token, too short to be one */
export const shortened = (authorization: string): string =>
  authorization === '' ? '' : `${authorization.slice(0, 18)}…`;

/** @returns the JSON document; undefined if the text is none */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @returns the JSON document over several lines; a text that is none as it is */
export const pretty = (text: string): string => JSON.stringify(parse(text), null, 2) ?? text;

/** @returns what was picked in the select that has changed */
export const picked = ({ currentTarget }: Event): string => (currentTarget as HTMLSelectElement).value;
