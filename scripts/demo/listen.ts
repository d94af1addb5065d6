const isTaken = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EADDRINUSE';

/** Listens on the first port from this one on that is free, and is not the other one. */
export async function listenFrom<T>(
  first: number,
  listen: (port: number) => Promise<T>,
  other?: number,
): Promise<T> {
  try {
    if (first !== other) return await listen(first);
  } catch (error) {
    if (!isTaken(error)) throw error;
  }
  return listenFrom(first + 1, listen, other);
}

/** Listens on this port. If it is taken, the process ends and says so. */
export async function listenOn<T>(port: number, listen: (port: number) => Promise<T>): Promise<T> {
  try {
    return await listen(port);
  } catch (error) {
    if (!isTaken(error)) throw error;
    process.stderr.write(`Port ${port} is taken: choose another --port, or none for the next free one\n`);
    process.exit(1);
  }
}
