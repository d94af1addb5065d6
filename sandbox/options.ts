import type { Spelling } from './api.ts';
import type { Tls } from './certificates.ts';
import type { TotalPages } from './list.ts';

export interface SandboxOptions {
  readonly apiKey: string;
  /** Keys that are as good. */
  readonly otherKeys?: readonly string[];
  readonly host?: string;
  /** 0 takes a free one. */
  readonly port?: number;
  readonly callsPerMinute?: number;
  /** How the headers of that limit are spelled. */
  readonly spelling?: Spelling;
  /** What `total_pages` says in a list; all of them unless given. */
  readonly totalPages?: TotalPages;
  /** How many there are beside the friends: `cometchat-uid-1` and so on. */
  readonly users?: number;
  /** How many of the last calls are kept. */
  readonly remember?: number;
  /** Serves https, with a certificate that is so. */
  readonly tls?: Tls | undefined;
}
