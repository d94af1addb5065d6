/** A change of the tags that one user has on one conversation. */
export interface Replace {
  readonly kind: 'replace';
  /** The whole new set. */
  readonly tags: readonly string[];
}
export type Change = Replace;

/** @returns the one change that has the effect of both: a replace leaves nothing of what it replaces */
export const compose = (_earlier: Change, later: Change): Change => later;
