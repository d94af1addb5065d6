import type { Test } from 'tap';
import { Child } from '../../helpers/process.ts';
import type { Game } from './play.ts';

/** Lets scenarios be played. One that fails shrinks to the shortest that does, and is told as a story. */
export async function holds(t: Test, file: string, game: Game): Promise<void> {
  const { SEED = '' } = process.env;
  const player = new Child(t, ['test/cometchat/order/play.ts', JSON.stringify(game)], { SEED });
  t.equal(await player.exit(), 0, `the player ends well; it says: ${player.stderr}`);
  const { played, seed, story } = JSON.parse(player.stdout);
  if (!story) return void t.equal(played, game.scenarios, 'scenarios played');
  const [broken, ...timeline] = story.split('\n');
  const again = `SEED=${seed} npx tap --allow-incomplete-coverage test/cometchat/${file}.test.ts`;
  t.fail(broken, { timeline: timeline.join('\n'), again });
}
