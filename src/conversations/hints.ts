import { PROBLEMS, type ProblemCode } from '../base/problems.ts';

/** How a request names its conversation. */
export interface Naming {
  readonly conversationWith?: string | undefined;
  readonly conversationType?: 'user' | 'group' | undefined;
}

interface Hint {
  readonly problems: readonly ProblemCode[];
  /** Looks at nothing but the request, so that the hint tells nothing about anybody. */
  readonly fits: (naming: Naming) => boolean;
  readonly text: string;
}

const PERHAPS_A_GROUP =
  'If conversationWith is the guid of a group, set conversationType to "group"; left out, it means "user".';

/** The first that fits is told. */
const HINTS: readonly Hint[] = [
  {
    problems: ['conversation-not-found', 'user-not-found'],
    fits: ({ conversationWith }) => conversationWith === undefined,
    text: 'conversationWith was left out, which means the uid that the session maps to: set it to the uid of the other user or the guid of the group.',
  },
  {
    problems: ['user-not-found'],
    fits: ({ conversationType }) => conversationType !== 'group',
    text: PERHAPS_A_GROUP,
  },
  {
    problems: ['conversation-not-found'],
    fits: ({ conversationType }) => conversationType === undefined,
    text: PERHAPS_A_GROUP,
  },
  {
    problems: ['group-not-found'],
    fits: ({ conversationType }) => conversationType === 'group',
    text: 'If conversationWith is the uid of a user, leave conversationType out.',
  },
];

/**
 * Adds to the detail of a problem what the request may have left out or mixed up.
 *
 * @returns undefined where the row's own detail says it all
 */
export function detailFor(problem: ProblemCode, naming: Naming): string | undefined {
  const hint = HINTS.find(({ problems, fits }) => problems.includes(problem) && fits(naming));
  return hint && `${PROBLEMS[problem].detail} ${hint.text}`;
}
