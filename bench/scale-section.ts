import { inMb, inMs, inPercent, inWhole, table, withSpread } from './format.ts';
import { CALLS, type Call, type Results } from './results.ts';
import { carriedBy, loadTable } from './scale-load.ts';
import type { Scale } from './scale-results.ts';

const TITLES: Partial<Record<Call, string>> = { tags: 'GET' };
const titleOf = (name: Call): string => TITLES[name] ?? CALLS[name].split(':')[0] ?? name;

/** What one replica, one Redis and one lane carry, and what that means for more than CometChat's quota. */
export function scaleSection({ scale }: Results): string[] {
  if (!scale) return [];
  return [
    '## Scale',
    '[docs/scale.md](../docs/scale.md) says what follows from it. Redis appends to its file (`appendonly yes`), with a `fsync` a second; ids are as long as a UUID.',
    '### What a request costs',
    [
      'A gateway with Redis at saturation, as in “this gateway with Redis” above. Redis has the processor time, the bytes and the commands of one request; a script is one command. It shares its processor with the load and the stand-in, which its processor time does not count.',
      'A list costs Redis what a GET does.',
    ].join('\n'),
    requestsTable(scale),
    '### What one Redis carries',
    'Redis alone on its processor gets the commands of writes from ten connections, each time of another user. Where other work on the machine takes some of that processor, what is for a whole one is computed.',
    saturatedTable(scale),
    '### What is kept in Redis',
    'Memory for each entry (`used_memory` before and after). Redis holds that many entries of one kind, and nothing else.',
    stateTable(scale),
    '### The end of a minute',
    'Redis drops the counts of a minute two minutes after their last use, and serves nobody meanwhile, unless it has `lazyfree-lazy-expire yes`. There are two hashes of that kind: requests and calls.',
    dropsTable(scale),
    '### What is kept in a replica',
    'What is in use of the heap of a gateway without Redis after garbage collection, before and after. Where a replica has a Redis, it does not count users itself.',
    processTable(scale),
    '### One lane',
    'One user writes to one conversation, each time with other tags, through one replica or through two that share a processor and a Redis. Each client sends its next request when the last one has been answered: one PUT client, or four PATCH clients, for each replica. What waits is composed, so one write to CometChat may carry several PATCHes; a PUT that another replica supersedes gets 409.',
    lanesTable(scale),
    '### At CometChat’s quota, at ten times and at a hundred times as much',
    'Computed from the figures above, for the worst case: each request is a PUT, of another user, to another conversation, and so one call.',
    loadTable(scale),
  ];
}

function requestsTable({ requests }: Scale): string {
  const rows = Object.entries(requests).map(([name, cost]) => [
    titleOf(name as Call),
    withSpread(cost.perSecond, inWhole),
    listed(cost.commands),
    withSpread(cost.redisMicroseconds, inWhole),
    ...[cost.bytesIn, cost.bytesOut, cost.bytesAppended, cost.bytesLogged].map(inWhole),
  ]);
  return table(
    [
      'request',
      'requests/s of the replica',
      'commands',
      'processor time of Redis, µs',
      'bytes to Redis',
      'bytes from Redis',
      'bytes in Redis’ file',
      'bytes in the gateway’s log',
    ],
    rows,
  );
}

const saturatedTable = ({ saturation }: Scale): string =>
  table(
    ['what it is asked', 'a second', 'of its processor', 'a second, for a whole processor'],
    saturation.map((one) => [
      one.name,
      withSpread(one.perSecond, inWhole),
      withSpread(one.processor, inPercent),
      inWhole(carriedBy(one)),
    ]),
  );

function listed(commands: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const command of commands) counts.set(command, (counts.get(command) ?? 0) + 1);
  const names = [...counts].map(([name, count]) => (count > 1 ? `${count} × ${name}` : name));
  return `${commands.length}: ${names.join(', ')}`;
}

function stateTable({ state }: Scale): string {
  const rows = state.map(({ name, entries, bytes, keptSeconds }) => [
    name,
    inWhole(entries),
    inWhole(bytes),
    inMb(bytes * entries),
    keptSeconds === undefined ? 'as your back end says' : `${inWhole(keptSeconds)} s`,
  ]);
  return table(['entry', 'entries', 'bytes of one', 'MB of all', 'kept after its last use'], rows);
}

const dropsTable = ({ drops }: Scale): string =>
  table(
    ['users of the minute', 'Redis serves nobody for, ms', 'with `lazyfree-lazy-expire yes`, ms'],
    drops.map(({ users, ms, lazyMs }) => [inWhole(users), stop(ms), stop(lazyMs)]),
  );

/** Redis counts whole milliseconds. */
const stop = (ms: number): string => (ms === 0 ? 'less than 1' : inWhole(ms));

const processTable = ({ process: { user, lane, underWay } }: Scale): string =>
  table(
    ['what', 'bytes of one'],
    [
      ['a user who was there in this minute: token and counts', inWhole(user)],
      ['a lane, after its writes are over', Math.abs(lane) < user / 4 ? 'nothing that shows' : inWhole(lane)],
      ['a request under way, with both its connections', inWhole(underWay)],
    ],
  );

function lanesTable({ lanes }: Scale): string {
  const rows = lanes.flatMap(({ replicas, cometchatMs, ...of }) =>
    (['PUT', 'PATCH'] as const).map((method) => {
      const { clients, perSecond, answered, writesPerSecond, p50, p99 } = of[method];
      return [
        `${method}, ${replicas === 1 ? 'one replica' : 'two replicas'}, CometChat takes ${cometchatMs} ms`,
        inWhole(clients),
        inWhole(perSecond),
        inPercent(answered),
        inWhole(writesPerSecond),
        inMs(p50),
        inMs(p99),
      ];
    }),
  );
  return table(
    [
      'lane',
      'clients',
      'answered 200, a second',
      'of all',
      'writes to CometChat a second',
      'p50, ms',
      'p99, ms',
    ],
    rows,
  );
}
