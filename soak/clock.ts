/** Milliseconds of a clock that never goes back, and is the same for all processes of the machine. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6;
