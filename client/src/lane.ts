/** Of each lane, the queue of the writes to one conversation: when its last write has ended. */
export type Lanes = Map<string, Promise<unknown>>;

/** Begins a write. It waits by itself until the writes before it have ended. */
export function inLane<T>(
  lanes: Lanes,
  lane: string,
  write: (before: Promise<unknown> | undefined) => Promise<T>,
): Promise<T> {
  const before = lanes.get(lane);
  const result = write(before);
  // A write that gives up while it waits lets no later one pass those before it.
  const end = Promise.allSettled([before, result]).then(() => {
    if (lanes.get(lane) === end) lanes.delete(lane);
  });
  lanes.set(lane, end);
  return result;
}
