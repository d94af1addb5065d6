import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Measured } from './results.ts';

/** https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** The layer of a function, by its file; the first that fits. What no row names belongs to the layer of its caller. */
const LAYERS: readonly (readonly [RegExp, string])[] = [
  [/node_modules\/undici\//, 'undici: the connection to CometChat'],
  [/node:_http_(?:client|agent)/, 'Node.js: HTTP client, with its socket'],
  [/node:_http_server/, 'Node.js: HTTP server'],
  [/node_modules\/(?:got|@sindresorhus|byte-counter|chunk-data|lowercase-keys|uint8array-extras)\//, 'got'],
  [/node_modules\/(?:pino|sonic-boom)\/|operations\/(?:request-)?log\.ts/, 'request log (pino)'],
  [/node_modules\/prom-client\/|operations\/prometheus\.ts/, 'metrics (prom-client)'],
  [/node_modules\/jose\/|internal\/crypto\/|src\/(?:session|identity)\//, 'session and identity (jose)'],
  [/src\/limits\//, 'rate limits'],
  [
    /node_modules\/(?:fastify|find-my-way|@fastify|fast-json-stringify|secure-json-parse)\//,
    'Fastify, with the client’s socket',
  ],
  [
    /node_modules\/@sinclair\/typebox\/|src\/(?:conversations\/|http\/body)/,
    'body: parsing, checks, slimming',
  ],
  [/src\/cometchat\/(?:reply|conversation)\.ts/, 'CometChat’s reply: parsing and checks'],
  [/src\/cometchat\/|node_modules\/cockatiel\//, 'lanes, retries, quota, breaker'],
  [/src\/base\/[\w-]*(?:http|client|exchange|undici)[\w-]*\.ts/, 'the gateway’s HTTP client around them'],
  // The counter of minutes serves limits and quota.
  [/src\/(?!redis\/minute-counter)/, 'the rest of the gateway'],
];

const OUTSIDE = 'outside of JavaScript';
/** Functions that V8 makes up. */
const MADE_UP: ReadonlyMap<string, string> = new Map([
  ['(idle)', 'idle'],
  ['(garbage collector)', 'garbage collection'],
  ['(program)', OUTSIDE],
]);

/**
 * Reads where the processor time of a profiled process went, in the second half of its samples: in the first it starts, and
 * compiles its code.
 *
 * @param folder in which `--cpu-prof` has written one profile
 */
export function readLayers(folder: string): Measured['layers'] {
  const [file = ''] = readdirSync(folder);
  const profile: Profile = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  const layerOf = layersOf(profile);
  const times = new Map<string, number>();
  const half = Math.floor(profile.samples.length / 2);
  for (const [index, id] of profile.samples.entries()) {
    if (index < half) continue;
    const layer = layerOf.get(id) ?? OUTSIDE;
    times.set(layer, (times.get(layer) ?? 0) + (profile.timeDeltas[index] as number));
  }
  times.delete('idle');
  const whole = times.values().reduce((sum, time) => sum + time, 0);
  return [...times].map(([name, time]) => ({ name, share: time / whole })).sort((a, b) => b.share - a.share);
}

function layersOf({ nodes }: Profile): Map<number, string> {
  const layers = new Map<number, string>();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const visit = (id: number, callers: string) => {
    const node = byId.get(id) as Profile['nodes'][number];
    const { functionName, url } = node.callFrame;
    const layer = MADE_UP.get(functionName) ?? LAYERS.find(([pattern]) => pattern.test(url))?.[1] ?? callers;
    layers.set(id, layer);
    for (const child of node.children ?? []) visit(child, layer);
  };
  const [root] = nodes;
  if (root) visit(root.id, 'Node.js: event loop, streams, timers');
  return layers;
}
