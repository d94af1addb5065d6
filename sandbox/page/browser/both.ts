import type { Conversation } from 'cometchat-gateway-client';
import type { Device, Note } from './device.ts';
import { nameOf } from './format.ts';

/** Lets each of two devices add a tag of its own to the same conversation, at the same time. */
export async function addFromBoth(
  devices: readonly [Device, Device],
  conversation: Conversation,
  known: ReadonlySet<string>,
): Promise<Note> {
  const tags = newTags(devices, known);
  const answers = await Promise.all(
    devices.map((device, index) => device.change(conversation, { add: [tags[index] ?? ''] })),
  );
  // The answer to the first of two writes cannot have the tag of the second one.
  const isBehind = (after: Conversation | undefined) =>
    after && !tags.every((tag) => after.tags?.includes(tag));
  const now = await Promise.all(
    devices.map((device, index) => (isBehind(answers[index]) ? device.read(conversation) : answers[index])),
  );
  const survived = tags.filter((tag) => now.some((after) => after?.tags?.includes(tag)));
  const name = nameOf(conversation);
  if (survived.length === 2)
    return { tone: 'good', text: `Both survive: ${name} has ${tags.join(' and ')}.` };
  const failed = devices.filter((_, index) => !answers[index]).map((device) => device.name);
  if (failed.length > 0) return { tone: 'bad', text: `${failed.join(' and ')} failed.` };
  if (now.includes(undefined))
    return { tone: 'bad', text: `Both changes are made, but ${name} could not be read.` };
  const gone = tags.filter((tag) => !survived.includes(tag));
  return { tone: 'bad', text: `Both changes are made, but ${name} no longer has ${gone.join(' and ')}.` };
}

/** @returns `phone-1` and `laptop-1`, or the next two that no conversation has yet */
function newTags(devices: readonly [Device, Device], known: ReadonlySet<string>): string[] {
  for (let number = 1; ; number += 1) {
    const tags = devices.map(({ name }) => `${name.toLowerCase()}-${number}`);
    if (!tags.some((tag) => known.has(tag))) return tags;
  }
}
