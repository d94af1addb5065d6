import { latencyPicture, saturationPicture } from './contestant-pictures.ts';
import { floodPicture, layersPicture, memoryPicture } from './gateway-pictures.ts';
import type { Results } from './results.ts';
import type { Target } from './targets.ts';

/** A chart, and the file beside RESULTS.md that it goes into. */
export interface Picture {
  readonly file: string;
  readonly label: string;
  readonly svg: string;
}

/** Those for which there are figures. */
export const picturesOf = (results: Results, targets: readonly Target[]): Picture[] =>
  [latencyPicture, saturationPicture, floodPicture, memoryPicture, layersPicture].flatMap(
    (draw) => draw(results, targets) ?? [],
  );
