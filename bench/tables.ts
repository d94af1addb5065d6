import {
  entriesOf,
  inMs,
  inPercent,
  inTimes,
  inWhole,
  isOurs,
  NONE,
  ratio,
  table,
  withSpread,
} from './format.ts';
import {
  CALLS,
  type Call,
  CONTESTANTS,
  type Contestant,
  type Flood,
  type GoodRequests,
  type Measured,
} from './results.ts';

const titleOf = (name: Contestant) => (isOurs(name) ? `**${CONTESTANTS[name]}**` : CONTESTANTS[name]);

/** All contestants in one table: what each adds, and what each can do. */
export function overviewTable({ latency, saturation }: Pick<Measured, 'latency' | 'saturation'>): string {
  const head = [
    'what answers the app',
    ...latency.map(({ perSecond }) => `added at ${inWhole(perSecond)} requests/s: p50 / p99, ms`),
    'at saturation: requests/s',
    'at saturation: processor time of a request, µs',
    'at saturation: p50 / p99, ms',
  ];
  const rows = entriesOf(saturation).map(([name, { perSecond, processorMicroseconds, p50, p99 }]) => [
    titleOf(name),
    ...latency.map(({ of }) => {
      const added = name === 'direct' ? undefined : of[name]?.added;
      return added ? `${inMs(added.p50.median)} / ${inMs(added.p99.median)}` : NONE;
    }),
    inWhole(perSecond.median),
    name === 'direct' ? NONE : inWhole(processorMicroseconds.median),
    `${inMs(p50.median)} / ${inMs(p99.median)}`,
  ]);
  return table(head, rows);
}

/** The latency at one rate. */
export function latencyTable({ of }: Measured['latency'][number]): string {
  const rows = entriesOf(of).map(([name, { whole, added }]) => {
    const isDirect = name === 'direct';
    const compared = isDirect || name === 'gateway' ? undefined : added;
    return [
      titleOf(name),
      withSpread(whole.p50, inMs),
      withSpread(whole.p99, inMs),
      isDirect ? NONE : withSpread(added.p50, inMs),
      isDirect ? NONE : withSpread(added.p99, inMs),
      compared
        ? `${ratio(of.gateway?.added.p50, compared.p50)} / ${ratio(of.gateway?.added.p99, compared.p99)}`
        : NONE,
    ];
  });
  const head = ['what answers the app', 'p50, ms', 'p99, ms', 'added to the p50, ms', 'added to the p99, ms'];
  return table([...head, 'what the gateway adds, to what this one adds: p50 / p99'], rows);
}

/** What each can do at most, and how long a request takes then. */
export function saturationTable({ saturation }: Pick<Measured, 'saturation'>): string {
  const { gateway, 'reply-from': replyFrom } = saturation;
  const rows = entriesOf(saturation).map(([name, { perSecond, processorMicroseconds, p50, p99 }]) => {
    const isDirect = name === 'direct';
    return [
      titleOf(name),
      withSpread(perSecond, inWhole),
      name === 'gateway' ? NONE : ratio(gateway?.perSecond, perSecond),
      isDirect ? NONE : withSpread(processorMicroseconds, inWhole),
      withSpread(p50, inMs),
      withSpread(p99, inMs),
      ...(name === 'reply-from'
        ? [NONE, NONE]
        : [ratio(perSecond, replyFrom?.perSecond), ratio(p99, replyFrom?.p99)]),
    ];
  });
  const toReplyFrom = `to that of ${CONTESTANTS['reply-from']}`;
  return table(
    [
      'what answers the app',
      'requests/s',
      'requests/s of the gateway, to those of this one',
      'processor time of a request, µs',
      'p50, ms',
      'p99, ms',
      `requests/s, to those of ${CONTESTANTS['reply-from']}`,
      `p99, ${toReplyFrom}`,
    ],
    rows,
  );
}

/** The gateway's own calls beside each other. */
export function callsTable(calls: Measured['calls']): string {
  const rows = Object.entries(calls).map(([name, { perSecond, processorMicroseconds, toPut }]) => [
    CALLS[name as Call],
    withSpread(perSecond, inWhole),
    withSpread(processorMicroseconds, inWhole),
    ...(name === 'PUT'
      ? [NONE, NONE]
      : [toPut.perSecond, toPut.processor].map((of) => withSpread(of, inTimes))),
  ]);
  return table(
    [
      'call',
      'requests/s',
      'processor time of a request, µs',
      'requests/s, to the PUT',
      'processor time, to the PUT',
    ],
    rows,
  );
}

const answered = ({ sent, answered }: GoodRequests) =>
  sent === answered ? 'all' : `${inWhole(answered)} of ${inWhole(sent)}`;

/** What good requests had beside floods of one rate, and what became of the floods. */
export function floodTable(floods: readonly Flood[]): string {
  const rows = floods.map(({ kind, quiet, flooded, bad, processor }) => [
    kind,
    inPercent(bad.sent / bad.due),
    Object.entries(bad.statuses)
      .map(([status, count]) => `${status}: ${inWhole(count)}`)
      .join(', '),
    `${answered(quiet)} / ${answered(flooded)}`,
    `${inMs(quiet.p50.median)} / ${inMs(flooded.p50.median)}`,
    withSpread(quiet.p99, inMs),
    withSpread(flooded.p99, inMs),
    ratio(flooded.p99, quiet.p99),
    inPercent(processor.median),
  ]);
  return table(
    [
      'what is wrong with the flood',
      'of the flood sent',
      'what it got, by status',
      'good requests answered, quiet / flooded',
      'p50 of good requests, quiet / flooded, ms',
      'p99 of good requests, quiet, ms',
      'p99 of good requests, flooded, ms',
      'p99, flooded to quiet',
      'gateway’s processor in use',
    ],
    rows,
  );
}

/** How many requests the gateway answers, beside each of its peers, in words. */
export const toPeers = ({ gateway, ...others }: Measured['saturation']): string =>
  (['express-axios', 'hono-fetch', 'reply-from'] as const)
    .filter((name) => gateway && others[name])
    .map((name) => `${ratio(gateway?.perSecond, others[name]?.perSecond)} as many as ${CONTESTANTS[name]}`)
    .join(', ');

/** How long a start takes. */
export const startTable = ({ cached, uncached }: NonNullable<Measured['start']>): string =>
  table(
    ['start', 'ms'],
    [
      ['with the compile cache, as in the image', withSpread(cached, inWhole)],
      ['without the cache', withSpread(uncached, inWhole)],
    ],
  );

/** What one answer weighs, without the gateway and with it. */
export function sizeTable({ cometchat, client }: NonNullable<Measured['size']>): string {
  const row = (name: string, of: 'body' | 'wire') => [
    name,
    inWhole(cometchat[of]),
    inWhole(client[of]),
    inTimes(cometchat[of] / client[of]),
  ];
  const rows = [row('body', 'body'), row('all that goes over the wire, with headers', 'wire')];
  return table(['bytes of one answer', 'from CometChat', 'from the gateway', 'smaller by a factor of'], rows);
}

/**
 * Where the time of a request goes.
 *
 * @param microseconds of processor time that a request takes, where that was measured
 */
export function layersTable(layers: Measured['layers'], microseconds: number | undefined): string {
  const row = (name: string, share: number) => [
    name,
    microseconds === undefined ? NONE : inWhole(share * microseconds),
    inPercent(share),
  ];
  const rows = layers.map(({ name, share }) => row(name, share));
  return table(['part of the program', 'processor time, µs', 'share'], [...rows, row('**in all**', 1)]);
}
