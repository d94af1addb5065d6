import { inMs, inWhole, ratio, table } from './format.ts';
import { CONNECTIONS } from './load.ts';
import { type Picture, picturesOf } from './pictures.ts';
import { CONTESTANTS, type Measured, type Results } from './results.ts';
import { scaleSection } from './scale-section.ts';
import {
  callsSection,
  floodSection,
  latencySection,
  layersSection,
  measuring,
  memorySection,
  saturationSection,
  sizeSection,
  startSection,
  targetsSection,
} from './sections.ts';
import { overviewTable, toPeers } from './tables.ts';
import { targetsOf } from './targets.ts';

/** The whole of bench/RESULTS.md. */
export function report(results: Results): string {
  const blocks = [
    '# What the extra hop costs',
    summary(results),
    `[How it is measured, and what was tried](README.md). Written by \`npm run bench\`, which took ${inWhole(results.seconds / 60)} minutes; do not edit.`,
    ...measuring(results),
    ...sections(results, picturesOf(results, targetsOf(results))),
    ...(results.missing.length > 0
      ? ['## Not measured', results.missing.map((one) => `- ${one}`).join('\n')]
      : []),
    '## Machine and versions',
    table(['machine', ''], results.machine, '---'),
    table(['program', 'version'], results.versions, '---'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** Of a run of some parts: what was measured, without charts. */
export const details = (results: Results): string => `${sections(results, []).join('\n\n')}\n`;

/** The charts that RESULTS.md shows, by the names of their files beside it. */
export const charts = (results: Results): Record<string, string> =>
  Object.fromEntries(picturesOf(results, targetsOf(results)).map(({ file, svg }) => [file, svg]));

const sections = (results: Results, pictures: readonly Picture[]): string[] => [
  ...latencySection(results, pictures),
  ...saturationSection(results, pictures),
  ...callsSection(results),
  ...floodSection(results, pictures),
  ...memorySection(results, pictures),
  ...startSection(results),
  ...sizeSection(results),
  ...scaleSection(results),
  ...layersSection(results, pictures),
  ...targetsSection(results, targetsOf(results)),
];

/** What RESULTS.md begins with; README.md has its first sentence. */
function summary({ latency, saturation, date, rounds }: Results): string {
  const added = latency.flatMap(({ perSecond, of: { gateway } }, index) => {
    if (!gateway) return [];
    const [p50, p99] = [inMs(gateway.added.p50.median), inMs(gateway.added.p99.median)];
    return index === 0
      ? `At ${inWhole(perSecond)} requests a second, the gateway adds ${p50} ms to the median (p50) of a direct call and ${p99} ms to its 99th percentile (p99)`
      : `at ${inWhole(perSecond)} it adds ${p50} and ${p99} ms`;
  });
  const { gateway } = saturation;
  const most = gateway && [
    `At saturation, one processor answers ${inWhole(gateway.perSecond.median)} requests/s: ${toPeers(saturation)}.`,
    `Each takes ${inWhole(gateway.processorMicroseconds.median)} µs of processor time. The p99 is ${inMs(gateway.p99.median)} ms then${p99ToReplyFrom(saturation)}.`,
  ];
  return [
    [`**${added.join('; ')}.**`, ...(most ?? [])].join('\n'),
    overviewTable({ latency, saturation }),
    [
      `Medians of ${rounds} rounds on one processor, measured on ${date}. Half of the requests take at most the p50, 99 of 100 at most the p99. At saturation, ${CONNECTIONS} connections always have a next request.`,
      'A direct call has no hop. The peers and nginx have none of the gateway’s protections.',
    ].join('\n'),
  ].join('\n\n');
}

function p99ToReplyFrom({ gateway, 'reply-from': replyFrom }: Measured['saturation']): string {
  if (!gateway || !replyFrom) return '';
  return `, ${ratio(gateway.p99, replyFrom.p99)} that of ${CONTESTANTS['reply-from']}`;
}
