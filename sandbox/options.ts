import type { Spelling } from './api.ts';
import type { Tls } from './certificates.ts';

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
  /** How many there are: `cometchat-uid-1` and so on. */
  readonly users?: number;
  /** How many of the last calls are kept. */
  readonly remember?: number;
  /** Serves https, with a certificate that is so. */
  readonly tls?: Tls | undefined;
}
