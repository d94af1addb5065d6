import net from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

// A thread of its own, so that it can stand still: it listens, and takes no connection ever.
net.createServer().listen({ ...workerData, backlog: 1 }, () => {
  parentPort?.postMessage('listening');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
