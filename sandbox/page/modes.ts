import { randomUUID } from 'node:crypto';
import { CATALOGUE, type Name } from '../catalogue.ts';
import type { Fault } from '../faults.ts';
import type { Sandbox } from '../server.ts';
import type { ModeId, ModeState } from './browser/events.ts';

const named = (name: Name): Fault | undefined => CATALOGUE[name].faults(Date.now())[0];

/** What every call to CometChat meets in each mode. */
const FAULTS: Readonly<Record<ModeId, Fault | undefined>> = {
  works: undefined,
  slow: { delayMs: 500 },
  silent: named('silence'),
  down: named('reset-on-arrival'),
  'rate-limited': named('rate-limited-seconds'),
  wrong: named('broken-json'),
  expired: undefined,
};

/** The mode that CometChat is in. All open pages have the same one. */
export class Modes {
  readonly #sandbox: Sandbox;
  #state: ModeState = { run: randomUUID(), change: 0, mode: 'works' };

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  get state(): ModeState {
    return this.#state;
  }

  /** @returns whether there is such a mode; if so, it is on */
  pick(mode: string): boolean {
    if (!isMode(mode)) return false;
    const { run, change } = this.#state;
    this.#state = { run, change: change + 1, mode };
    this.#sandbox.always(FAULTS[mode]);
    return true;
  }
}

const isMode = (id: string): id is ModeId => Object.hasOwn(FAULTS, id);
