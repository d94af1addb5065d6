import { CATALOGUE, type Name } from '../sandbox/catalogue.ts';

/** A single one of these closes the quota of the whole app, or its key: they come by name alone. */
const FOR_ALL = /^(?:rate-limited-|key-refused$)/;
/**
 * Good answers that are not true: they say that tags were set when they were not, or give those of another conversation for those
 * that were asked for. Nobody could tell whether the gateway is right. A list takes none of them.
 */
export const LIES: readonly Name[] = [
  'bytes-after-body',
  'reply-nobody-asked-for',
  'field-extra',
  'field-odd',
];

/** The faults that any call may meet, at any time. */
export const FAULTS = (Object.keys(CATALOGUE) as Name[]).filter(
  (name) => !FOR_ALL.test(name) && !LIES.includes(name),
);
