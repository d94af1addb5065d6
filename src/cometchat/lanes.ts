import type { Outcome } from './call.ts';
import type { Place } from './lease.ts';
import { Write } from './write.ts';

/** The writes of one user to one conversation. */
interface Lane {
  current: Write;
  /** The newest of those that came meanwhile; the others have been overtaken. */
  next: Write | undefined;
}

/** The order of writes in this process: one at a time for each lane, the newest next. */
export class Writes {
  readonly #lanes = new Map<string, Lane>();

  /** @returns the write that the same body would repeat: under way or next, and not overtaken */
  find(lane: string, body: string): Write | undefined {
    const newest = this.newest(lane);
    return newest?.body === body && !newest.ended && !newest.isOver ? newest : undefined;
  }

  /** @returns the one that came last of those that are under way or wait */
  newest(lane: string): Write | undefined {
    const { current, next } = this.#lanes.get(lane) ?? {};
    return next ?? current;
  }

  /**
   * Begins a write, which overtakes all others of its lane.
   *
   * @param perform called at once; unless the write `isFirst`, it waits for its turn before it sends anything
   */
  begin(
    name: string,
    body: string,
    place: Place | undefined,
    perform: (write: Write, isFirst: boolean) => Promise<Outcome>,
  ): Write {
    const lane = this.#lanes.get(name);
    lane?.current.overtake();
    lane?.next?.overtake();
    const write = new Write(body, place, (self) => perform(self, !lane));
    if (!lane) void this.#run(name, write);
    else {
      lane.next = write;
      lane.current.look();
    }
    return write;
  }

  async #run(name: string, first: Write): Promise<void> {
    const lane: Lane = { current: first, next: undefined };
    this.#lanes.set(name, lane);
    for (;;) {
      const { current } = lane;
      await current.proceed();
      while (current.isUnsettled && lane.next?.body !== current.body) await current.settle();
      const { next } = lane;
      current.handOn(next);
      if (!next) break;
      lane.current = next;
      lane.next = undefined;
    }
    this.#lanes.delete(name);
  }
}
