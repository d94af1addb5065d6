import type { Redis } from 'ioredis';

const LOOK_EVERY_MS = 250;
/** A connection on which no reply comes for so many looks, a second, is given up, and no request waits any more. */
const LOOKS_WITHOUT_REPLY = 4;
/**
 * A connection on which nothing has come for so many looks, two seconds, is asked whether it still is one. A firewall, NAT or
 * load balancer in between may have forgotten it without a word.
 */
const LOOKS_UNTIL_ASKED = 8;

/**
 * Ends a connection that does not reply, each time that one is made. Looks are counted, not the time: after a pause of the whole
 * process, replies that came meanwhile are read before the next look.
 */
export function endWhenSilent(redis: Redis): void {
  redis.on('connect', () => {
    const { stream } = redis;
    /** Bytes that had been sent when the last reply came. */
    let answered = 0;
    let looks = { idle: 0, waiting: 0 };
    stream.on('data', () => {
      answered = stream.bytesWritten;
      looks = { idle: 0, waiting: 0 };
    });
    const look = setInterval(() => {
      looks.idle += 1;
      if (stream.bytesWritten > answered) looks.waiting += 1;
      if (looks.waiting === LOOKS_WITHOUT_REPLY) stream.destroy(new Error('Redis timed out'));
      // Any reply will do, an error as well.
      else if (looks.idle === LOOKS_UNTIL_ASKED) redis.ping().catch(() => {});
    }, LOOK_EVERY_MS).unref();
    stream.once('close', () => clearInterval(look));
  });
}
