/** A secret that may be replaced while the process runs: whoever needs it reads `current` each time. */
export interface Rotating<T> {
  current: T;
}

/**
 * Makes something of a secret that costs too much to make each time.
 *
 * @returns gives it, made anew whenever the secret has been replaced
 */
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
