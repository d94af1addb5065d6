// Loaded before the gateway: at SIGWINCH it collects all garbage, and says how much of the heap is in use then. Other signals end the
// gateway.
import { writeSync } from 'node:fs';

let count = 0;
process.on('SIGWINCH', () => {
  globalThis.gc();
  globalThis.gc();
  count += 1;
  writeSync(2, `heap ${count}: ${process.memoryUsage().heapUsed}\n`);
});
