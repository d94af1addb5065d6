import manifest from '../../package.json' with { type: 'json' };
import type { Metrics } from '../base/services.ts';

/** The gateway's own. It stands in package.json and nowhere else. */
export const { version: VERSION } = manifest;

/** Shows which version runs, on which Node.js, as the labels of a metric that is always 1. */
export function showVersion(metrics: Metrics): void {
  metrics
    .gauge('build_info', '1, with the versions of the gateway and of Node.js', ['version', 'node_version'])
    .set({ version: VERSION, node_version: process.versions.node }, 1);
}
