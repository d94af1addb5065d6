import { ACQUIRE, RELEASE } from '../src/cometchat/lease-scripts.ts';
import { ADD, minuteAt } from '../src/redis/minute-counter.ts';
import { type Command, encode } from './redis-pipe.ts';

/** MONITOR writes line breaks in its own way. */
const lettersOf = (script: string): string => script.replace(/\s|\\n/g, '');

/** By its text, which the gateway sends each time. */
const SCRIPTS: Readonly<Record<string, string>> = {
  [lettersOf(ADD)]: 'count',
  [lettersOf(ACQUIRE)]: 'acquire the lease',
  [lettersOf(RELEASE)]: 'release it',
};

/** @returns what a command is called in a table */
export const titleOf = ([name = '', script = '']: readonly string[]): string =>
  SCRIPTS[lettersOf(script)] ?? name.toUpperCase();

/** Which one it is makes no difference to Redis. */
export const MINUTE = minuteAt(Date.now()).number;
const DEADLINE_MS = 3000;
const LEASE_MS = 2500;

const DIGITS = 12;
const digitsOf = (number: number): string => String(number).padStart(DIGITS, '0');

/** @returns an id of the length of a UUID */
const idOf = (of: string, number: number): string =>
  `${of.padEnd(8, '-')}-0000-4000-8000-${digitsOf(number)}`;

/** The commands for the user, write or session with this number. */
export type Numbered = (number: number) => readonly Command[];

/** Stands in a template where the number goes. */
const PLACEHOLDER = 987_654_321_098;

/** @returns encodes commands that differ in their number alone, without making them each time */
export function encoderOf(commands: Numbered): (number: number) => string {
  const template = encode(commands(PLACEHOLDER));
  return (number) => template.replaceAll(String(PLACEHOLDER), digitsOf(number));
}

/** The key of a lane. */
export const laneOf = (number: number): string =>
  `write:v2:{${idOf('user', number)}:user:${idOf('partner', number)}}`;

/** A write of one user to one conversation. */
export const writeOf: Numbered = (number) => {
  const lane = laneOf(number);
  const keys = [lane, `${lane}:lease`, `${lane}:next`];
  const id = idOf('write', number);
  return [
    ['EVAL', ACQUIRE, 3, ...keys, 'replace', id, id, '', 0, DEADLINE_MS, LEASE_MS],
    ['EVAL', RELEASE, 3, ...keys, id, id],
  ];
};

/** A request of one user, and a call. */
export const countsOf: Numbered = (number) =>
  ['rate:v2:user', 'quota:v2'].map((name) => ['EVAL', ADD, 1, `${name}:${MINUTE}`, idOf('user', number), 1]);

/** What the company's back end writes to end a session, or all of a user's. */
export const revokedOf: Numbered = (number) => [['SET', `revoked:${idOf('token', number)}`, 1, 'EX', 3660]];
export const revokedBeforeOf: Numbered = (number) => [
  ['SET', `revoked-before:${idOf('user', number)}`, 1_800_000_000, 'EX', 3660],
];

/** All that a PUT asks. */
export const putOf: Numbered = (number) => [
  ['EXISTS', `revoked:${idOf('token', number)}`],
  ['GET', `revoked-before:${idOf('user', number)}`],
  ...countsOf(number),
  ['PTTL', 'quota:closed'],
  ...writeOf(number),
];
