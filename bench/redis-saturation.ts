import { RedisPipe } from './redis-pipe.ts';
import { countsOf, encoderOf, type Numbered, putOf, writeOf } from './scale-commands.ts';
import type { Saturated } from './scale-results.ts';
import { spreadOf } from './statistics.ts';

/** As many as ten replicas have, and what each has under way. */
const PIPES = 10;
const AT_ONCE = 16;
const SECONDS = 1;

const KINDS: Readonly<Record<string, Numbered>> = {
  'all that a PUT asks': putOf,
  'its counts: one request, one call': countsOf,
  'its lease': writeOf,
};

/** Asks Redis, without a pause, what writes ask. */
export async function saturateRedis(
  port: number,
  cpuMicroseconds: () => number,
  rounds: number,
  say: (text: string) => void,
): Promise<Saturated[]> {
  const pipes = await Promise.all(Array.from({ length: PIPES }, () => RedisPipe.open(port)));
  const results = Object.keys(KINDS).map((name) => ({
    name,
    perSecond: [] as number[],
    processor: [] as number[],
  }));
  let number = 0;
  for (let round = 1; round <= rounds; round += 1) {
    say(`scale: Redis alone, round ${round} of ${rounds}`);
    for (const { name, perSecond, processor } of results) {
      const encoded = encoderOf(KINDS[name] as Numbered);
      const start = { at: performance.now(), cpu: cpuMicroseconds(), number };
      const run = async (pipe: RedisPipe) => {
        while (performance.now() - start.at < SECONDS * 1000) {
          const from = number;
          number += AT_ONCE;
          await pipe.send(Array.from({ length: AT_ONCE }, (_, at) => encoded(from + at)).join(''));
        }
      };
      await Promise.all(pipes.map(run));
      const seconds = (performance.now() - start.at) / 1000;
      perSecond.push((number - start.number) / seconds);
      processor.push((cpuMicroseconds() - start.cpu) / 1e6 / seconds);
    }
  }
  for (const pipe of pipes) pipe.close();
  return results.map(({ name, perSecond, processor }) => ({
    name,
    perSecond: spreadOf(perSecond),
    processor: spreadOf(processor),
  }));
}
