/** @returns whether a URL's host is this machine: nobody in between can read or answer what goes there */
export const isLoopback = (hostname: string): boolean =>
  /^(?:127\.\d+\.\d+\.\d+|\[::1\]|localhost)$/.test(hostname);
