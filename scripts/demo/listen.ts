const TAKEN = 'EADDRINUSE';
const REASONS: Readonly<Record<string, string>> = { [TAKEN]: 'is taken', EACCES: 'may not be used' };

const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException).code);

/** Listens on the first port from this one on that is free, and is not the other one. */
export async function listenFrom<T>(
  first: number,
  listen: (port: number) => Promise<T>,
  other?: number,
): Promise<T> {
  try {
    if (first !== other) return await listen(first);
  } catch (error) {
    if (codeOf(error) !== TAKEN) throw error;
  }
  return listenFrom(first + 1, listen, other);
}

/** Listens on this port. If it cannot be had, the process ends and says so. */
export async function listenOn<T>(port: number, listen: (port: number) => Promise<T>): Promise<T> {
  try {
    return await listen(port);
  } catch (error) {
    const reason = REASONS[codeOf(error)];
    if (!reason) throw error;
    process.stderr.write(`Port ${port} ${reason}: choose another --port, or none for the next free one\n`);
    process.exit(1);
  }
}
