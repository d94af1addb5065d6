/** A secret that may be replaced while the process runs, so `current` is read each time. */
export interface Rotating<T> {
  current: T;
}

/** @returns gives what `make` makes of a secret; it is made again only when the secret was replaced */
export function derived<T, R>(secret: Rotating<T>, make: (value: T) => R): () => R {
  let from = secret.current;
  let made = make(from);
  return () => {
    if (from !== secret.current) {
      from = secret.current;
      made = make(from);
    }
    return made;
  };
}
