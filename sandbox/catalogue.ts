import type { NamedFault } from './faults.ts';
import { REPLY_FAULTS } from './reply-faults.ts';
import { WIRE_FAULTS } from './wire-faults.ts';

export type Name = keyof typeof WIRE_FAULTS | keyof typeof REPLY_FAULTS;

/** The faults that CometChat, or the way there, can have. */
export const CATALOGUE: Readonly<Record<Name, NamedFault>> = { ...WIRE_FAULTS, ...REPLY_FAULTS };
